import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { identityGateway } from '../../src/better-auth/better-auth-plugin.ts'
import { findFreePort } from '../../src/demo/ports.ts'
import { startServer } from '../../src/http/server.ts'
import { changeTriggerStatements } from '../../src/layout/change-trigger-sql.ts'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { changes, type Scene } from '../support/changes.ts'
import { startServing } from '../support/cli.ts'
import type { Person } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'
import { compile, createApplication } from './support/clients.ts'
import {
  documentedWith,
  eventSource,
  first,
  LONGEST_MS,
  refuseEach,
  type Seen,
  sseClient,
} from './support/subscription-clients.ts'

/*
 * graphql-sse and EventSource, each as docs/subscriptions.md says it is set up, see what Better Auth changes: told by
 * triggers, and by the plug-in.
 */

const redis = useRedis()
const plugin = identityGateway({ redisUrl: redis.url, keyPrefix: redis.prefix })
const { identity, sql, services, root, ada, environment, gatewayWith } = await world({
  own: true,
  betterAuth: { plugins: [plugin] },
})
await sql(triggerStatements(layout, 'public').join(';\n'))
await sql(changeTriggerStatements(layout, 'public').join(';\n'))
const scene: Scene = { identity, admin: root }
const application = await createApplication()

const VIEWER = documentedWith('graphql', 'viewerChanged')
const ACCESS = documentedWith('graphql', 'accessChanged')
const ORGANIZATION = `subscription ($id: ID!) {
  organizationChanged(id: $id) { kind organization { name members { nodes { user { id } roles } } } }
}`

const sources = ['postgres', 'redis'] as const
type Source = (typeof sources)[number]
const common = {
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: identity.betterAuth.secret,
  REDIS_URL: redis.url,
  REDIS_KEY_PREFIX: redis.prefix,
}
const urls = {} as Record<Source, string>
for (const source of sources) {
  const gateway = gatewayWith({ ...common, PERMISSION_EVENTS: source })
  const server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
  urls[source] = `${server.url}/graphql`
  afterAll(() => server.stop())
}
afterAll(async () => {
  plugin.close()
  await application.remove()
})

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** A client of graphql-sse, which is closed with the test. */
async function subscribed(
  url: string,
  getToken: () => Promise<string>,
  query: string,
  variables?: Readonly<Record<string, unknown>>,
): Promise<Seen> {
  const client = await sseClient(application, url, getToken)
  open.push({ close: () => client.dispose() })
  return client.subscribe(query, variables)
}

const cookieOf = ({ session }: Person) => `better-auth.session_token=${session}`

const begun = (seen: Seen) => first(seen, 0, () => true)

interface Viewer {
  readonly kind: string
  readonly viewer: { readonly memberships: { readonly nodes: { permissions: string[] }[] } } | null
}

/** In which the person who is changed cannot subscribe before. */
const REFUSED_BEFORE = ['unbanning']
/** Of the account and not of the organization. */
const OF_ACCOUNTS = ['banning', 'unbanning']
/** What ends for whom. */
const ENDS_FOR_PERSON = ['banning', 'deleting a user']
const ENDS_FOR_OWNER = ['deleting an organization']
/** Of which the plug-in does not know whom they concern. */
const DELETIONS = ['deleting an organization', 'deleting a user']
/** The plug-in does not see what PostgreSQL deletes along with a user. */
const CASCADES = ['deleting a user']

test('the client of the page compiles', async () => {
  await application.write('client.ts', documentedWith('ts', 'graphql-sse'))
  await compile(application)
})

let places = 0

test.each(Object.entries(changes))('%s is seen by every client', async (name, change) => {
  places += 1
  const organization = await identity.createOrganization(root, `Place ${places}`)
  const person = await identity.signUp(`Somebody ${places}`)
  const make = await change.prepare(scene, organization, person)
  const watching = await Promise.all(
    sources.map(async (source) => {
      const url = urls[source]
      const id = organization.id
      const isRefused = REFUSED_BEFORE.includes(name)
      const seen = {
        owner: await subscribed(url, root.jwt, ORGANIZATION, { id }),
        service: await subscribed(url, () => services.token('identity:read'), ACCESS),
        ...(!isRefused && {
          person: await subscribed(url, person.jwt, VIEWER),
          page: eventSource(url, cookieOf(person)),
        }),
      }
      if (seen.page) open.push(seen.page)
      for (const one of Object.values(seen)) await begun(one)
      return { source, seen }
    }),
  )
  const madeMs = performance.now()
  await make()
  const figures = await Promise.all(
    watching.map(async ({ source, seen }) => {
      const kindIs =
        (kind: string) =>
        (event: { readonly kind: string }): boolean =>
          event.kind === kind
      // Who was in an organization that is gone, the plug-in does not know.
      const isUnnamed = source === 'redis' && name === 'deleting an organization'
      const usual = isUnnamed ? 'READ_AGAIN' : 'CHANGED'
      const ofPerson = ENDS_FOR_PERSON.includes(name) ? 'ENDED' : usual
      const ofOwner = ENDS_FOR_OWNER.includes(name) ? 'ENDED' : 'CHANGED'
      const isTold =
        ofPerson === 'ENDED'
          ? kindIs(ofPerson)
          : ({ kind, viewer }: Viewer) =>
              kind === usual &&
              change.after ===
                viewer?.memberships.nodes.some(({ permissions }) =>
                  permissions.includes('leave:approve'),
                )
      const waits: Partial<Record<keyof typeof seen, Promise<number>>> = {
        service: first(
          seen.service,
          1,
          (event: { kind: string; userIds: string[]; organizationIds: string[] }) =>
            event.userIds.includes(person.id) ||
            event.organizationIds.includes(organization.id) ||
            (source === 'redis' && DELETIONS.includes(name) && event.kind === 'READ_AGAIN'),
        ),
        ...(seen.person && { person: first(seen.person, 1, isTold) }),
        ...(seen.page && { page: first(seen.page, 1, kindIs(ofPerson)) }),
        ...(OF_ACCOUNTS.includes(name) || (source === 'redis' && CASCADES.includes(name))
          ? {}
          : { owner: first(seen.owner, 1, kindIs(ofOwner)) }),
      }
      const told = await Promise.all(
        Object.entries(waits).map(async ([who, at]) => [who, (await at) - madeMs] as const),
      )
      if (ofPerson === 'ENDED')
        await vi.waitFor(() => expect([seen.person?.ended, seen.page?.ended]).toEqual([true, true]))
      for (const [who, ms] of told) expect(ms, who).toBeLessThan(LONGEST_MS)
      return [source, ...told.map(([who, ms]) => `${who} ${ms.toFixed(0)}`)].join(' ')
    }),
  )
  process.stdout.write(`measured: ${name}, ms from its beginning: ${figures.join('; ')}\n`)
})

test('somebody who is let in again subscribes again', async () => {
  const change = changes.unbanning
  const organization = await identity.createOrganization(root, 'Again')
  const person = await identity.signUp('Again')
  const make = await change?.prepare(scene, organization, person)
  // Those sessions that they had are gone, and so is what they could ask a token with.
  await make?.()
  const { headers } = await identity.betterAuth.auth.api.signInEmail({
    body: { email: person.email, password: person.password },
    returnHeaders: true,
  })
  const page = eventSource(
    urls.postgres,
    `better-auth.session_token=${headers.get('set-auth-token')}`,
  )
  open.push(page)
  await first(page, 0, ({ kind }: { kind: string }) => kind === 'READ_AGAIN')
})

test('clients go on at the gateway that takes the place of another, and miss nothing', async () => {
  const port = String(await findFreePort())
  const start = () =>
    startServing({
      ...{ ...environment, ...common, PORT: port },
      PERMISSION_EVENTS: 'postgres',
      SHUTDOWN_GRACE_MS: '200',
    })
  const rename = (name: string) => sql('update users set name = $2 where id = $1', [ada.id, name])
  const saw = (kind: string, name: string) => (event: { kind: string; viewer: { name: string } }) =>
    event.kind === kind && event.viewer.name === name
  const one = await start()
  const url = `http://127.0.0.1:${port}/graphql`
  await vi.waitFor(async () => {
    // Until it hears of changes, it refuses.
    const probe = eventSource(url, cookieOf(ada))
    await sleep(100)
    probe.close()
    expect(probe.events).toHaveLength(1)
  }, 5000)
  const clients = [await subscribed(url, ada.jwt, VIEWER), eventSource(url, cookieOf(ada))] as const
  open.push(clients[1])
  for (const seen of clients) await begun(seen)
  await rename('Ada 1')
  for (const seen of clients) await first(seen, 1, saw('CHANGED', 'Ada 1'))
  const counts = clients.map(({ events }) => events.length)
  expect(await one.signal('SIGTERM')).toBe(0)
  await rename('Ada 2')
  await refuseEach(port)
  const other = await start()
  await Promise.all(
    clients.map((seen, index) =>
      vi.waitFor(() => first(seen, counts[index] ?? 0, saw('READ_AGAIN', 'Ada 2')), {
        timeout: 20_000,
      }),
    ),
  )
  await rename('Ada 3')
  for (const seen of clients) await first(seen, 1, saw('CHANGED', 'Ada 3'))
  for (const { ended, error } of clients) expect({ ended, error }).toEqual({ ended: false })
  for (const one of open.splice(0)) one.close()
  expect(await other.signal('SIGTERM')).toBe(0)
})
