import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'

let identity: Identity
let gateway: GatewayUnderTest

beforeAll(async () => {
  identity = await startIdentity()
})
afterEach(() => gateway.close())
afterAll(() => identity.stop())

const ready = async () => (await gateway.fetch(new Request('http://gateway/ready'))).status

test('a database that changes under a gateway makes it not ready within five seconds, and the log says why', async () => {
  gateway = gatewayFor(identity)
  await gateway.verify()
  expect(await ready()).toBe(200)
  await identity.sql('alter table members rename column role to roles')
  const said = () =>
    gateway.logged
      .map((line) => JSON.parse(line) as { msg: string })
      .filter(({ msg }) =>
        msg.startsWith('the column "members"."role" is missing: run the command'),
      )
  await vi.waitFor(async () => expect(await ready()).toBe(503), { timeout: 8000, interval: 200 })
  expect(await ready()).toBe(503)
  expect(said()).toHaveLength(1)
  await identity.sql('alter table members rename column roles to role')
  await vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 8000, interval: 200 })
})

test('a database that is not as the layout says is refused at start', async () => {
  await identity.sql('alter table teams rename to crews')
  gateway = gatewayFor(identity)
  await expect(gateway.verify()).rejects.toThrow(
    /^the table "teams" is missing: run the command introspect/,
  )
  await identity.sql('alter table crews rename to teams')
})

test('a database that does not answer is waited for, and the log says why', async () => {
  const away = new URL(identity.readOnlyUrl)
  away.port = '1'
  gateway = gatewayFor(identity, { DATABASE_URL: away.href })
  await gateway.verify()
  expect(await ready()).toBe(503)
  expect(gateway.logged.join()).toContain('Nothing listens at 127.0.0.1:1: check DATABASE_URL.')
})
