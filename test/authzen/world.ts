import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { AuditSink } from '../../src/gateway.ts'
import { startServer } from '../../src/http/server.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { world } from '../support/world.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the endpoint answers
  readonly body: any
}

interface Sent {
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Of what is no object, the text itself. */
  readonly body: unknown
}

type Roles = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** A world with organizations and members of a test's own, and gateways that answer the Authorization API over HTTP. */
export async function authzenWorld(roles?: Roles) {
  const folder = mkdtempSync(join(tmpdir(), 'authzen-'))
  const file = join(folder, 'access-control.json')
  if (roles) writeFileSync(file, JSON.stringify({ roles }))
  const of = await world({ own: true })
  const { sql, services, gatewayWith } = of
  const stops: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true })
  })
  const serviceToken = await services.token()

  async function serve(environment: Readonly<Record<string, string>> = {}, audit?: AuditSink) {
    const gateway: GatewayUnderTest = gatewayWith(
      {
        AUTHZEN: 'on',
        ...(roles && { ACCESS_CONTROL_FILE: file }),
        ...environment,
      },
      audit,
    )
    const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
    stops.push(() => server.stop())
    const ask = async (path: string, { token = serviceToken, headers = {}, body }: Sent) => {
      const response = await fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      return toAnswer(response)
    }
    return { gateway, url: server.url, ask }
  }

  return {
    ...of,
    serviceToken,
    serve,
    /** People by their ids. */
    async addUsers(...ids: readonly string[]) {
      await sql(
        `insert into users (id, name, email, email_verified, created_at, updated_at)
           select id, id, id || '@authzen.example.com', true, now(), now() from unnest($1::text[]) id`,
        [ids],
      )
    },
    /** An organization, and the roles of its members by their ids, who joined in this order. */
    async addOrganization(id: string, members: Readonly<Record<string, readonly string[]>> = {}) {
      await sql(
        'insert into organizations (id, name, slug, created_at) values ($1, $1, $1, now())',
        [id],
      )
      for (const [index, [userId, held]] of Object.entries(members).entries())
        await sql(
          `insert into members (id, organization_id, user_id, role, created_at)
             values ($1, $2, $3, $4, now() + $5 * interval '1 second')`,
          [`${id}-${userId}`, id, userId, held.join(','), index],
        )
    },
  }
}

export async function toAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const isJson = headers.get('content-type') === 'application/json'
  return { status, headers, text, body: isJson ? JSON.parse(text) : undefined }
}
