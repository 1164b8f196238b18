import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { Prisma } from '../../src/postgres/client.ts'
import { PostgresNotifications } from '../../src/postgres/postgres-notifications.ts'
import { openHouse } from '../support/client.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { layout } from '../support/layout.ts'
import { type PoolerImitation, poolers, startPoolerImitation } from '../support/pooler-imitation.ts'
import { world } from '../support/world.ts'

/* Poolers that refuse what a connection asks for as it begins. */

const { gatewayWith, identity, sql } = await world({ own: true })
/** A role of this file alone, whose settings it changes. */
const readOnlyUrl = await createReadOnlyRole(identity.ownerUrl, layout)
const role = new URL(readOnlyUrl).username
const closing: (() => unknown)[] = []
let gateway: GatewayUnderTest

beforeAll(() => sql(`alter database ${identity.database.name} set timezone = 'America/New_York'`))

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function through(
  ...imitated: Parameters<typeof startPoolerImitation>
): Promise<PoolerImitation & { readonly url: string }> {
  const pooler = await startPoolerImitation(...imitated)
  closing.push(pooler.stop)
  return { ...pooler, url: pooler.through(readOnlyUrl) }
}

function open(url: string) {
  gateway = gatewayWith({ DATABASE_URL: url })
  closing.push(gateway.close)
  return gateway
}

function read(url: string) {
  const database = openHouse({ url, statementTimeoutMs: 2000 })
  closing.push(database.close)
  return database.read
}

const ready = async () => (await gateway.fetch(new Request('http://gateway/ready'))).status
const settings = Prisma.sql`
  select current_setting('default_transaction_read_only') as "readOnly",
    current_setting('TimeZone') as zone, current_setting('statement_timeout') as timeout`
const asAskedFor = [{ readOnly: 'on', zone: 'UTC', timeout: '2s' }]
/** With rights to write, so that nothing but the session refuses it. */
const write = Prisma.sql`insert into notes values ('written')`

describe.each(poolers)('behind %s', (name) => {
  describe('a role that has the settings itself', () => {
    beforeAll(async () => {
      await sql('create table if not exists notes (text text)')
      await sql(`grant insert on notes to ${role}`)
    })

    test('is served, and its sessions are read-only', async () => {
      const pooler = await through(name)
      const ask = read(pooler.url)
      expect(await ask(settings)).toEqual(asAskedFor)
      await expect(ask(write)).rejects.toMatchObject({ cause: { code: '25006' } })
      open(pooler.url)
      await gateway.verify()
      expect(await ready()).toBe(200)
    })

    test('is refused once, and not again with each connection', async () => {
      const pooler = await through(name)
      const ask = read(pooler.url)
      await ask(settings)
      await Promise.all([ask(settings), ask(settings), ask(settings)])
      expect(pooler.refused()).toBe(1)
    })
  })

  describe('options of the URL itself', () => {
    const asking = (url: string) =>
      `${url}?options=-c%20app.tenant%3Dacme%20-c%20TimeZone%3DAsia%2FTokyo`
    const tenant = Prisma.sql`select current_setting('app.tenant', true) as tenant, current_setting('TimeZone') as zone`

    test('are set on a session of its own, but do not replace ours', async () => {
      const pooler = await through(name, { ownSessions: true })
      const ask = read(asking(pooler.url))
      expect(await ask(tenant)).toEqual([{ tenant: 'acme', zone: 'UTC' }])
      expect(await ask(settings)).toEqual(asAskedFor)
    })

    test('are wanted of the role where sessions are shared', async () => {
      const pooler = await through(name)
      open(asking(pooler.url))
      expect(await ready()).toBe(503)
      expect(gateway.logged.join()).toContain('name the database without the pooler')
      await sql(`alter role ${role} set app.tenant = 'acme'`)
      expect(await read(asking(pooler.url))(tenant)).toEqual([{ tenant: 'acme', zone: 'UTC' }])
      await sql(`alter role ${role} reset app.tenant`)
    })
  })

  describe('a role that lacks them', () => {
    beforeAll(async () => {
      await sql(`alter role ${role} reset all`)
      return async () => {
        await sql(`alter role ${role} set default_transaction_read_only = on`)
        await sql(`alter role ${role} set timezone = 'UTC'`)
        await sql(`alter role ${role} set datestyle = 'ISO'`)
        await sql(`alter role ${role} set statement_timeout = 2000`)
      }
    })

    test('is not served where sessions are shared, and the log says what sets them', async () => {
      const pooler = await through(name)
      await expect(read(pooler.url)(settings)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      open(pooler.url)
      await gateway.verify()
      expect(await ready()).toBe(503)
      expect(gateway.logged.join()).toContain(
        'name the database without the pooler, or let the owner run the SQL that the command doctor --sql prints',
      )
    })

    test('is served where the session is its own, and that is made read-only', async () => {
      const pooler = await through(name, { ownSessions: true })
      const ask = read(pooler.url)
      expect(await ask(settings)).toEqual(asAskedFor)
      await expect(ask(write)).rejects.toMatchObject({ cause: { code: '25006' } })
    })

    test('hears of changes only on a session of its own', async () => {
      const [shared, own] = [await through(name), await through(name, { ownSessions: true })]
      const heard = vi.fn()
      const trouble = vi.fn()
      const listen = (url: string) => {
        const listener = { heard, lost: () => {}, changed: () => {} }
        const news = new PostgresNotifications({ url, listener, onTrouble: trouble })
        closing.push(() => news.close())
      }
      listen(shared.url)
      await vi.waitFor(() => expect(trouble).toHaveBeenCalledOnce())
      expect(heard).not.toHaveBeenCalled()
      listen(own.url)
      await vi.waitFor(() => expect(heard).toHaveBeenCalled())
    })
  })
})
