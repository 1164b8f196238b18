import { afterEach, expect, test, vi } from 'vitest'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, sql } = await world({ own: true })
let gateway: GatewayUnderTest

afterEach(() => gateway.close())

const ready = async () => (await gateway.fetch(new Request('http://gateway/ready'))).status

test('a database that changes under a gateway makes it not ready within five seconds, and the log says why', async () => {
  gateway = gatewayWith({})
  await gateway.verify()
  expect(await ready()).toBe(200)
  await sql('alter table members rename column role to roles')
  const said = () =>
    gateway.logged
      .map((line) => JSON.parse(line) as { msg: string })
      .filter(({ msg }) =>
        msg.startsWith('the column "members"."role" is missing: run the command'),
      )
  await vi.waitFor(async () => expect(await ready()).toBe(503), { timeout: 8000, interval: 200 })
  expect(await ready()).toBe(503)
  expect(said()).toHaveLength(1)
  await sql('alter table members rename column roles to role')
  await vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 8000, interval: 200 })
})

test('a database that is not as the layout says is refused at start', async () => {
  await sql('alter table teams rename to crews')
  gateway = gatewayWith({})
  await expect(gateway.verify()).rejects.toThrow(
    /^the table "teams" is missing: run the command introspect/,
  )
  await sql('alter table crews rename to teams')
})

test('a database that does not answer is waited for, and the log says why', async () => {
  const away = new URL(identity.readOnlyUrl)
  away.port = '1'
  gateway = gatewayWith({ DATABASE_URL: away.href })
  await gateway.verify()
  expect(await ready()).toBe(503)
  expect(gateway.logged.join()).toContain('Nothing listens at 127.0.0.1:1: check DATABASE_URL.')
})
