import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Database, type DatabaseOptions, Prisma } from '../../src/postgres/client.ts'
import { openHouse } from '../support/client.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'

let identity: Identity
let ada: Person
const opened: Database[] = []

beforeAll(async () => {
  identity = await startIdentity()
  ada = await identity.signUp('Ada')
  await ada.jwt()
  await identity.createOrganization(ada, 'Acme')
})

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})

afterAll(() => identity.stop())

/** As the owner, so that what refuses is not the lack of a grant. */
function open(changes: Partial<DatabaseOptions> = {}): Database {
  const database = openHouse({ url: identity.ownerUrl, statementTimeoutMs: 2000, ...changes })
  opened.push(database)
  return database
}

const user = { id: 'new', name: 'New', email: 'new@example.com' }
const refused = { name: 'GatewayError', code: 'INTERNAL' }

async function nothingChanged(): Promise<void> {
  expect(await identity.sql('select name from users')).toEqual([{ name: 'Ada' }])
  expect(await identity.sql('select role from members')).toEqual([{ role: 'owner' }])
}

describe('the type and the guard refuse', () => {
  test('every write of a model', async () => {
    const { models } = open()
    const where = { id: ada.id }
    const attempts: (() => Promise<unknown>)[] = [
      // @ts-expect-error There is no create.
      () => models.user.create({ data: user }),
      // @ts-expect-error There is no createMany.
      () => models.user.createMany({ data: [user] }),
      // @ts-expect-error There is no createManyAndReturn.
      () => models.user.createManyAndReturn({ data: [user] }),
      // @ts-expect-error There is no update.
      () => models.user.update({ where, data: { name: 'Changed' } }),
      // @ts-expect-error There is no updateMany.
      () => models.user.updateMany({ data: { name: 'Changed' } }),
      // @ts-expect-error There is no updateManyAndReturn.
      () => models.user.updateManyAndReturn({ data: { name: 'Changed' } }),
      // @ts-expect-error There is no upsert.
      () => models.user.upsert({ where, create: user, update: { name: 'Changed' } }),
      // @ts-expect-error There is no delete.
      () => models.user.delete({ where }),
      // @ts-expect-error There is no deleteMany.
      () => models.member.deleteMany({}),
    ]
    for (const attempt of attempts)
      await expect(async () => attempt()).rejects.toThrow('is not a function')
    await nothingChanged()
  })

  test('statements beside the models, and transactions of writes', async () => {
    const { models } = open()
    const sql = "update users set name = 'Changed'"
    const attempts: (() => Promise<unknown>)[] = [
      // @ts-expect-error There is no $executeRaw.
      () => models.$executeRaw(Prisma.raw(sql)),
      // @ts-expect-error There is no $executeRawUnsafe.
      () => models.$executeRawUnsafe(sql),
      // @ts-expect-error There is no $queryRaw.
      () => models.$queryRaw(Prisma.raw(sql)),
      // @ts-expect-error There is no $queryRawUnsafe.
      () => models.$queryRawUnsafe(sql),
      // @ts-expect-error There is no $transaction.
      () => models.$transaction((tx) => tx.user.updateMany({ data: { name: 'Changed' } })),
      // @ts-expect-error There is no $extends.
      () => models.$extends({}).user.updateMany({ data: { name: 'Changed' } }),
    ]
    for (const attempt of attempts)
      await expect(async () => attempt()).rejects.toThrow('is not a function')
    await nothingChanged()
  })

  test('not one read', async () => {
    const { models } = open()
    const where = { id: ada.id }
    expect(await models.user.findUnique({ where, select: { name: true } })).toEqual({ name: 'Ada' })
    expect(await models.user.findMany({ select: { id: true } })).toEqual([where])
    expect(await models.member.count()).toBe(1)
    expect(await models.member.groupBy({ by: ['role'], _count: true })).toHaveLength(1)
    expect(await models.user.aggregate({ _count: true })).toEqual({ _count: 1 })
    expect(await models.user.findFirst({ where: { id: 'nobody' } })).toBeNull()
  })
})

describe('the session refuses, also to the owner,', () => {
  test.each([
    ["insert into users (id, name, email) values ('new', 'New', 'new@example.com')"],
    ["update users set name = 'Changed'"],
    ['delete from members'],
    ["with changed as (update users set name = 'Changed' returning id) select id from changed"],
    ['truncate members'],
    ['create table made (id text)'],
    ['select id from users for update'],
    ["select set_config('transaction_read_only', 'off', true)"],
    ["select set_config('transaction_read_only', 'off', false)"],
    [
      "with off as materialized (select set_config('transaction_read_only', 'off', true)) update users set name = (select * from off)",
    ],
  ])('%s', async (statement) => {
    const database = open()
    await expect(database.read(Prisma.raw(statement))).rejects.toMatchObject(refused)
    await nothingChanged()
  })

  test('with settings of its own that the URL does not change', async () => {
    const options =
      '-c default_transaction_read_only=off -c TimeZone=Asia/Kolkata -c statement_timeout=0'
    const switchedOff = new URL(identity.ownerUrl)
    switchedOff.searchParams.append('options', options)
    switchedOff.searchParams.append('options', options)
    for (const url of [identity.ownerUrl, switchedOff.href]) {
      const database = open({ url, statementTimeoutMs: 1234 })
      expect(await settingsOf(database)).toEqual({
        readOnly: 'on',
        zone: 'UTC',
        timeout: '1234ms',
        application: 'identity-gateway',
      })
      await expect(
        database.read(Prisma.sql`update users set name = 'Changed'`),
      ).rejects.toMatchObject(refused)
    }
    await nothingChanged()
  })

  test('with a limit on the time of statements that no parameter of the URL lifts', async () => {
    const url = new URL(identity.ownerUrl)
    url.searchParams.set('statement_timeout', '600000')
    expect(await settingsOf(open({ url: url.href, statementTimeoutMs: 1234 }))).toMatchObject({
      timeout: '1234ms',
    })
  })

  test('with the other options of the URL kept', async () => {
    const url = new URL(identity.ownerUrl)
    url.searchParams.append('options', '-c search_path=elsewhere')
    const [row] = await open({ url: url.href }).read<{ path: string }>(
      Prisma.sql`select current_setting('search_path') as path`,
    )
    expect(row).toEqual({ path: 'elsewhere' })
  })
})

async function settingsOf(database: Database) {
  const [row] = await database.read(Prisma.sql`
    select current_setting('default_transaction_read_only') as "readOnly",
      current_setting('TimeZone') as zone,
      current_setting('statement_timeout') as timeout,
      current_setting('application_name') as application`)
  return row
}

describe('the grants of the read-only role refuse', () => {
  let client: pg.Client

  beforeAll(async () => {
    client = new pg.Client({ connectionString: identity.readOnlyUrl })
    await client.connect()
  })
  afterAll(() => client.end())

  test.each([
    ['select password from accounts'],
    ['select access_token from accounts'],
    ['select refresh_token from accounts'],
    ['select id_token from accounts'],
    ['select token from sessions'],
    ['select private_key from jwks'],
    ['select * from jwks'],
    ['select * from sessions'],
    ['select * from accounts'],
    ['select identifier from verifications'],
    ['select value from verifications'],
    ['select secret from two_factors'],
    ['select membership_key from team_members'],
  ])('the secret: %s', async (statement) => {
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' })
  })

  test.each([
    ["insert into users (id, name, email) values ('new', 'New', 'new@example.com')"],
    ["update users set name = 'Changed'"],
    ["update members set role = 'owner'"],
    ['delete from members'],
    ['truncate members'],
    ['create table made (id text)'],
    ['select id from users for update'],
  ])('the write, also when the session was made writable: %s', async (statement) => {
    await client.query('set default_transaction_read_only = off')
    await client.query('begin read write')
    const attempt = client.query(statement)
    await expect(attempt).rejects.toMatchObject({ code: '42501' })
    await client.query('rollback')
    await nothingChanged()
  })

  test('nothing that the gateway reads', async () => {
    const { models } = open({ url: identity.readOnlyUrl })
    for (const model of Object.values(present(models)))
      expect(await model.findMany()).toBeInstanceOf(Array)
  })
})

function present({ user, session, account, organization, member, jwks }: Database['models']) {
  const all = { user, session, account, organization, member, jwks }
  return all as unknown as Record<string, { findMany(): Promise<unknown[]> }>
}

test('what a statement by hand could get past the session, the grants refuse', async () => {
  const database = open({ url: identity.readOnlyUrl, poolSize: 1 })
  const change = "update users set name = 'Changed'"
  const attempts = [
    `set transaction read write; ${change}`,
    `commit; begin read write; ${change}; commit`,
    "select set_config('default_transaction_read_only', 'off', false)",
    change,
  ]
  for (const attempt of attempts) await database.read(Prisma.raw(attempt)).catch(() => undefined)
  await nothingChanged()
})

describe('instants are right in whatever zone the database lives, and however it writes dates', () => {
  const instant = new Date('2026-03-29T01:30:00.123Z')

  afterAll(async () => {
    await identity.sql(`alter database ${identity.database.name} reset timezone`)
    await identity.sql(`alter database ${identity.database.name} reset datestyle`)
  })

  test.each([
    ['Asia/Kolkata', 'ISO, MDY'],
    ['America/St_Johns', 'SQL, DMY'],
    ['Europe/Berlin', 'German'],
  ])('%s, %s', async (zone, style) => {
    await identity.sql(`alter database ${identity.database.name} set timezone = '${zone}'`)
    await identity.sql(`alter database ${identity.database.name} set datestyle = '${style}'`)
    await identity.sql('update users set created_at = $1', [instant.toISOString()])
    const database = open()
    const [model] = await database.models.user.findMany({ select: { createdAt: true } })
    const [read] = await database.read(
      Prisma.sql`select created_at as "createdAt" from users where created_at = ${instant}`,
    )
    expect(model).toEqual({ createdAt: instant })
    expect(read).toEqual({ createdAt: instant })
  })
})

describe('a statement that fails is', () => {
  test('TIMEOUT when it takes too long, by way of read and of a model', async () => {
    const database = open({ statementTimeoutMs: 100 })
    await expect(database.read(Prisma.sql`select pg_sleep(5)::text`)).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    const blocker = new pg.Client({ connectionString: identity.ownerUrl })
    await blocker.connect()
    await blocker.query('begin; lock table users in access exclusive mode')
    await expect(database.models.user.findMany()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await blocker.query('rollback')
    await blocker.end()
    expect(await database.models.user.count()).toBe(1)
  })

  const unreachable: Record<string, (url: URL) => void> = {
    'nobody listens': (url) => {
      url.port = '1'
    },
    'the name is unknown': (url) => {
      url.hostname = 'no-such-host.invalid'
    },
    'the database is gone': (url) => {
      url.pathname = '/no_such_database'
    },
    'the password is wrong': (url) => {
      url.password = 'wrong'
    },
  }
  test.each(Object.keys(unreachable))('UNAVAILABLE when %s', async (what) => {
    const url = new URL(identity.readOnlyUrl)
    unreachable[what]?.(url)
    const database = open({ url: url.href })
    const unavailable = { name: 'GatewayError', code: 'UNAVAILABLE' }
    await expect(database.ping()).rejects.toMatchObject(unavailable)
    await expect(database.models.user.findMany()).rejects.toMatchObject(unavailable)
    await expect(database.read(Prisma.sql`select 1`)).rejects.toMatchObject(unavailable)
  })

  test('UNAVAILABLE when its connection is cut, and the next one is answered', async () => {
    const database = open({ poolSize: 1 })
    const sleeping = database.read(Prisma.sql`select pg_sleep(1.5)::text as slept`)
    const cut = expect(sleeping).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect
      .poll(() =>
        identity.sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where query like '%slept%' and application_name = 'identity-gateway'",
        ),
      )
      .toHaveLength(1)
    await cut
    expect(await database.models.user.count()).toBe(1)
  })

  test('INTERNAL when it is wrong, and tells nothing of it', async () => {
    const failure = open().read(Prisma.sql`select secret_column from users`)
    await expect(failure).rejects.toMatchObject(refused)
    await failure.catch((error: Error) => expect(error.message).not.toContain('secret_column'))
  })
})

describe('statements', () => {
  const prepared = (database: Database) =>
    database.read<{ name: string; statement: string }>(
      Prisma.sql`SELECT name, statement FROM pg_prepared_statements ORDER BY prepare_time`,
    )

  test('are prepared once for each connection, whatever their values', async () => {
    const database = open({ poolSize: 1 })
    for (const value of ['a', 'b', 'c'])
      await database.read(Prisma.sql`SELECT ${value}::text AS value`)
    const statements = (await prepared(database)).map(({ statement }) => statement)
    expect(statements.filter((text) => text.includes('AS value'))).toHaveLength(1)
  })

  test('are prepared up to a bound, and answered beyond it as well', async () => {
    const database = open({ poolSize: 1 })
    for (let i = 0; i < 250; i++)
      expect(await database.read(Prisma.raw(`SELECT ${i} AS value`))).toEqual([{ value: i }])
    expect(await prepared(database)).toHaveLength(200)
  })

  test('are not prepared where that is switched off', async () => {
    const database = open({ poolSize: 1, preparedStatements: false })
    await database.read(Prisma.sql`SELECT ${'a'}::text AS value`)
    expect((await prepared(database)).filter(({ name }) => name !== '')).toEqual([])
  })
})

test('hand-written statements give instants in UTC, whatever the zone of the process, and exact counts', async () => {
  const zone = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  try {
    expect(new Date(0).getHours()).toBe(9)
    const [row] = await open().read(Prisma.sql`
      SELECT '2026-01-02 03:04:05.678901'::timestamp AS "wall",
        '2026-01-02 03:04:05.678901+02'::timestamptz AS "instant",
        9007199254740993::bigint AS "count", '{"a": [1]}'::jsonb AS "json",
        ARRAY['a', NULL, 'b,"c'] AS "texts", NULL::timestamp AS "none"`)
    expect(row).toEqual({
      wall: new Date('2026-01-02T03:04:05.678Z'),
      instant: new Date('2026-01-02T01:04:05.678Z'),
      count: 9007199254740993n,
      json: { a: [1] },
      texts: ['a', null, 'b,"c'],
      none: null,
    })
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
})
