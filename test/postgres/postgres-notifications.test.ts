import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CHANNEL, triggerStatements } from '../../src/layout/trigger-sql.ts'
import { PostgresNotifications } from '../../src/postgres/postgres-notifications.ts'
import { changes, createScene, delayOf, type Scene } from '../support/changes.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { startIdentity } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { useRedis } from '../support/redis.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

const redis = useRedis()

let services: ServiceIssuer
let scene: Scene
/** One that caches in its process, and one in Redis. */
let gateways: GatewayUnderTest[]

beforeAll(async () => {
  services = await startServiceIssuer()
  scene = await createScene(await startIdentity())
  await scene.identity.sql(triggerStatements(layout, 'public').join(';\n'))
  const inRedis = { REDIS_URL: redis.url, REDIS_KEY_PREFIX: redis.prefix, REDIS_TIMEOUT_MS: '2000' }
  gateways = [{}, inRedis].map((cache) =>
    gatewayFor(scene.identity, {
      PERMISSION_EVENTS: 'postgres',
      SERVICE_ISSUER: services.issuer,
      SERVICE_AUDIENCE: services.audience,
      SERVICE_JWKS_URL: services.jwksUrl,
      ...cache,
    }),
  )
})

afterAll(async () => {
  for (const gateway of gateways) await gateway.close()
  await services.stop()
  await scene.identity.stop()
})

const bySql = (text: string, before: boolean, role = 'approver') => ({
  before,
  after: !before,
  async prepare(
    { identity }: Scene,
    organization: { id: string; name: string; slug: string },
    person: Parameters<typeof identity.addMember>[1],
  ) {
    await identity.addMember(organization, person, role)
    const id = text.includes('organizations') ? organization.id : person.id
    return () => identity.sql(text, [id])
  },
})

test.each([
  ...Object.entries(changes),
  [
    'a role changed by SQL',
    bySql(`update members set role = 'approver' where user_id = $1`, false, 'member'),
  ],
  ['a membership removed by SQL', bySql('delete from members where user_id = $1', true)],
  ['a user deleted by SQL, with a cascade', bySql('delete from users where id = $1', true)],
  [
    'an organization deleted by SQL, with a cascade',
    bySql('delete from organizations where id = $1', true),
  ],
  ['everybody banned by SQL', bySql('update users set banned = $1::text is not null', true)],
] as const)('%s is seen at once', async (name, change) => {
  const delayMs = await delayOf(scene, change, gateways, await services.token())
  await scene.identity.sql('update users set banned = false')
  process.stdout.write(`measured: ${name}, told by triggers: ${delayMs.toFixed(1)} ms\n`)
  expect(delayMs).toBeLessThan(2000)
})

test('whatever is notified, answers stay right and the connection stays', async () => {
  const { identity } = scene
  const connections = () =>
    identity.sql(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'identity-gateway-events' order by pid`,
    )
  await vi.waitFor(async () => expect(await connections()).toHaveLength(2))
  const before = await connections()
  for (const payload of ['', 'x', 'null', '[]', '{"users":"x"}', '{"users":[1]}', '{"all":1}'])
    await identity.sql(`select pg_notify('${CHANNEL}', $1)`, [payload])
  await identity.sql(`select pg_notify('${CHANNEL}', '{"all":true}') from generate_series(1, 1000)`)
  const change = changes['updating a role']
  if (!change) throw new Error('It is there.')
  await delayOf(scene, change, gateways, await services.token())
  expect(await connections()).toEqual(before)
})

test('the session is read-only, whatever the URL says', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const options = encodeURIComponent('-c default_transaction_read_only=off')
  const notifications = new PostgresNotifications({
    url: `postgresql://me@127.0.0.1:${port}/identity?options=${options}`,
    listener: { heard: () => {}, changed: () => {}, lost: () => {} },
    onTrouble: () => {},
  })
  const [socket] = await once(server, 'connection')
  const [startup] = await once(socket, 'data')
  expect(String(startup)).toContain(
    '-c default_transaction_read_only=off -c default_transaction_read_only=on\0',
  )
  socket.destroy()
  await notifications.close()
  server.close()
})
