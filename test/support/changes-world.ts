import { afterAll, expect, vi } from 'vitest'
import type { AuditSink } from '../../src/gateway.ts'
import { type Server, startServer } from '../../src/http/server.ts'
import { changeTriggerStatements } from '../../src/layout/change-trigger-sql.ts'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { type Subscribed, type SubscribeOptions, subscribe } from './events.ts'
import type { GatewayUnderTest } from './gateway.ts'
import { layout } from './layout.ts'
import { type WorldOptions, world } from './world.ts'

/** A world whose database tells of changes, and gateways of it that listen on ports of their own. */
export async function changesWorld(
  environment: Readonly<Record<string, string>> = {},
  betterAuth: WorldOptions['betterAuth'] = undefined,
) {
  const variables = { PERMISSION_EVENTS: 'postgres', ...environment }
  const of = await world({
    ...{ own: true, environment: variables },
    ...(betterAuth && { betterAuth }),
  })
  await of.sql(triggerStatements(layout, 'public').join(';\n'))
  await of.sql(changeTriggerStatements(layout, 'public').join(';\n'))
  /** Everything is closed with the file. */
  const listen = async (
    more: Readonly<Record<string, string>> = {},
    audit?: AuditSink,
  ): Promise<Listening> => {
    const gateway = of.gatewayWith({ ...variables, ...more }, audit)
    const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
    const open: Subscribed[] = []
    afterAll(async () => {
      for (const stream of open) stream.close()
      await server.stop()
    })
    const listening: Listening = {
      gateway,
      server,
      url: `${server.url}/graphql`,
      async subscribe(query, options) {
        const stream = await subscribe(listening.url, query, options)
        open.push(stream)
        return stream
      },
    }
    await untilTold(listening, await of.ada.jwt())
    return listening
  }
  return { of, listen }
}

export interface Listening {
  readonly gateway: GatewayUnderTest
  readonly server: Server
  readonly url: string
  subscribe(query: string, options?: SubscribeOptions): Promise<Subscribed>
}

/** Before the gateway hears of changes, a subscription is `UNAVAILABLE`. */
async function untilTold({ subscribe }: Listening, token: string): Promise<void> {
  await vi.waitFor(async () => {
    const stream = await subscribe('subscription { viewerChanged { kind } }', { token })
    const first = await stream.next()
    stream.close()
    expect(first).toEqual({ data: { viewerChanged: { kind: 'READ_AGAIN' } } })
  }, 10_000)
}
