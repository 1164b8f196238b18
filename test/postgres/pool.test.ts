import { randomUUID } from 'node:crypto'
import { type AddressInfo, connect, createServer } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/domain/errors.ts'
import { FairQueue } from '../../src/domain/fair-queue.ts'
import { type Database, type DatabaseOptions, Prisma } from '../../src/postgres/client.ts'
import { createReadPool, type StatementReport } from '../../src/postgres/pool.ts'
import { openHouse } from '../support/client.ts'
import { type PostgresProcess, startPostgresProcess } from '../support/postgres-process.ts'

let postgres: PostgresProcess
let admin: pg.Pool
const opened: Database[] = []
let statements: StatementReport[] = []

beforeAll(async () => {
  postgres = await startPostgresProcess()
  admin = new pg.Pool({ connectionString: postgres.url, max: 1, application_name: 'test' })
  admin.on('error', () => {})
})

afterEach(async () => {
  await postgres.resume()
  for (const database of opened.splice(0)) await database.close()
})

afterAll(async () => {
  await admin.end()
  await postgres.remove()
})

function open(changes: Partial<DatabaseOptions> = {}): Database {
  statements = []
  const database = openHouse({
    url: postgres.url,
    poolSize: 3,
    statementTimeoutMs: 5000,
    onStatement: (statement) => statements.push(statement),
    ...changes,
  })
  opened.push(database)
  return database
}

const one = (database: Database) => database.read(Prisma.sql`select 1 as one`)
const sleep = (database: Database, mark: string, seconds = 30) =>
  database.read(Prisma.sql`select pg_sleep(${seconds})::text, ${mark} as mark`)
/** Opens all connections of the pool, so that each has answered before. */
const warmUp = (database: Database) =>
  Promise.all([0, 1, 2].map(() => database.read(Prisma.sql`select pg_sleep(0.1)::text`)))

async function running(): Promise<number> {
  const { rows } = await admin.query(
    "select 1 from pg_stat_activity where application_name = 'identity-gateway' and state = 'active' and query like '%pg_sleep%'",
  )
  return rows.length
}

describe('a statement nobody waits for any more', () => {
  test('is cancelled in PostgreSQL, and fails with the reason', async () => {
    const nobody = new AbortController()
    const database = open({ statementTimeoutMs: 60_000, signal: () => nobody.signal })
    const late = new GatewayError('TIMEOUT', 'Too late.')
    const failed = expect(sleep(database, randomUUID())).rejects.toBe(late)
    await expect.poll(running).toBe(1)
    nobody.abort(late)
    await failed
    await expect.poll(running).toBe(0)
    expect(statements.map(({ outcome }) => outcome)).toEqual(['cancelled'])
    await expect(one(database)).rejects.toBe(late)
    expect(statements).toHaveLength(1)
    await expect.poll(() => database.poolUse()).toEqual({ total: 0, idle: 0, waiting: 0 })
  })

  test('leaves the statements of others alone', async () => {
    const nobody = new AbortController()
    let signal: AbortSignal | undefined = nobody.signal
    const database = open({ statementTimeoutMs: 60_000, signal: () => signal })
    const cancelled = expect(sleep(database, 'a')).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(running).toBe(1)
    signal = undefined
    const others = [sleep(database, 'b', 1), sleep(database, 'c', 1)]
    await expect.poll(running).toBe(3)
    nobody.abort(new GatewayError('TIMEOUT', 'Too late.'))
    await cancelled
    expect(await Promise.all(others)).toMatchObject([[{ mark: 'b' }], [{ mark: 'c' }]])
  })

  test('is not waited for while it stands in the queue', async () => {
    const nobody = new AbortController()
    let signal: AbortSignal | undefined
    const database = open({ poolSize: 1, signal: () => signal })
    await one(database)
    const first = sleep(database, 'first', 1)
    await expect.poll(running).toBe(1)
    signal = nobody.signal
    const second = expect(one(database)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(() => database.poolUse().waiting).toBe(1)
    nobody.abort(new GatewayError('TIMEOUT', 'Too late.'))
    await second
    expect(database.poolUse().idle).toBe(0)
    await first
    signal = undefined
    expect(await one(database)).toEqual([{ one: 1 }])
  })
})

test('more statements than may wait for a connection fail at once with UNAVAILABLE', async () => {
  const database = open({ poolSize: 1 })
  const first = sleep(database, 'first', 1)
  await expect.poll(running).toBe(1)
  const outcomes = await Promise.allSettled(Array.from({ length: 150 }, () => one(database)))
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(50)
  for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'UNAVAILABLE' } })
  await first
})

test('a connection that cannot be made is told of, one that nobody gave back in time is a wait', async () => {
  const waits: number[] = []
  let failures = 0
  const pool = (url: string) =>
    createReadPool({
      url,
      settings: [],
      config: { max: 1, connectionTimeoutMillis: 1000 },
      longestStatementMs: 5000,
      queue: new FairQueue({ capacity: 1, partOf: () => 1, mostWaiting: 10, full: 'Full.' }),
      longestWaitMs: 1000,
      share: () => '',
      mostBytes: 1000,
      onBytes: () => () => {},
      signal: () => undefined,
      onSharedSessions: () => {},
      onStatement: () => {},
      onWaited: (milliseconds) => waits.push(milliseconds),
      onConnectFailure: () => failures++,
    })
  const busy = pool(postgres.url)
  const first = busy.query({ text: 'select pg_sleep(1.5)' })
  await expect(busy.query({ text: 'select 1' })).rejects.toMatchObject({
    cause: { code: 'UNAVAILABLE' },
  })
  await first
  expect(waits).toHaveLength(2)
  expect(Math.max(...waits)).toBeGreaterThan(900)
  expect(failures).toBe(0)
  const away = pool('postgresql://nobody@127.0.0.1:1/nothing')
  await expect(away.query({ text: 'select 1' })).rejects.toThrow('Not connected')
  expect(failures).toBe(1)
  expect(waits).toHaveLength(3)
  await Promise.all([busy.end(), away.end()])
})

describe('PostgreSQL', () => {
  test('hanging is TIMEOUT after the limit, also for those it hangs on, and answers again when it does', async () => {
    const database = open({ statementTimeoutMs: 300 })
    await warmUp(database)
    await postgres.hang()
    await expect(one(database)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(statements.at(-1)?.outcome).toBe('cancelled')
    await postgres.resume()
    expect(await one(database)).toEqual([{ one: 1 }])
  })

  test.each(['restarted', 'killed'] as const)(
    '%s while nothing ran fails no statement after it',
    async (how) => {
      const database = open()
      await warmUp(database)
      expect(database.poolUse().total).toBe(3)
      // As a peer that vanished: the connections are there, and dead, and nobody has noticed.
      await postgres.hang()
      const asked = Promise.allSettled([one(database), one(database)])
      if (how === 'killed') await postgres.kill()
      else {
        await postgres.resume()
        await postgres.stop()
      }
      await asked
      await postgres.start()
      for (let index = 0; index < 6; index++) expect(await one(database)).toEqual([{ one: 1 }])
    },
  )

  test('that ends every connection fails no statement, also one under way', async () => {
    const database = open()
    await warmUp(database)
    const underWay = sleep(database, 'again', 1)
    await expect.poll(running).toBe(1)
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'identity-gateway'",
    )
    expect(await one(database)).toEqual([{ one: 1 }])
    expect(await underWay).toMatchObject([{ mark: 'again' }])
  })

  test('out of connections is UNAVAILABLE, and answers when there are some', async () => {
    await postgres.stop()
    await postgres.start({
      settings: { max_connections: '8', superuser_reserved_connections: '0' },
    })
    const others = Array.from({ length: 8 }, () => new pg.Client(postgres.url))
    for (const other of others) await other.connect()
    const database = open()
    await expect(one(database)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    for (const other of others) await other.end()
    await expect.poll(() => one(database).catch(() => [])).toEqual([{ one: 1 }])
    await postgres.stop()
    await postgres.start()
  })

  test('that only follows another answers all the same', async () => {
    const database = open()
    await warmUp(database)
    await postgres.stop()
    await postgres.start({ standby: true })
    expect(await database.read(Prisma.sql`select pg_is_in_recovery() as standby`)).toEqual([
      { standby: true },
    ])
    await admin.query('select pg_promote()')
    expect(await one(database)).toEqual([{ one: 1 }])
  })
})

test('what PostgreSQL refuses in another language costs no connection, and is sent once', async () => {
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(postgres.url).port), '127.0.0.1')
    client.pipe(upstream)
    upstream.on('data', (answer) => client.write(inItalian(answer)))
    for (const socket of [client, upstream]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(postgres.url)
  url.port = String((server.address() as AddressInfo).port)
  const database = open({ url: url.href, poolSize: 1 })
  const session = () => database.read(Prisma.sql`select pg_backend_pid() as pid`)
  const before = await session()
  statements.length = 0
  const refusal = await database.read(Prisma.sql`select nothing`).catch((error) => error)
  expect(refusal).toMatchObject({ code: 'INTERNAL', cause: { severity: 'ERRORE', code: '42703' } })
  expect(statements).toMatchObject([{ outcome: 'failed' }])
  expect(await session()).toEqual(before)
  await database.close()
  opened.splice(0)
  server.close()
})

/** What a server with `lc_messages` of Italy says: the tests' PostgreSQL has been built without other languages. */
function inItalian(answer: Buffer): Buffer {
  const at = answer.indexOf('SERROR\0VERROR\0')
  if (at < 0) return answer
  const translated = Buffer.concat([
    answer.subarray(0, at),
    Buffer.from('SERRORE\0'),
    answer.subarray(at + 'SERROR\0'.length),
  ])
  translated.writeInt32BE(answer.readInt32BE(at - 4) + 1, at - 4)
  return translated
}

describe('a prepared statement', () => {
  const text = Prisma.sql`select ${'x'}::text as prepared`
  const names = async (database: Database) => {
    const rows = await database.read<{ name: string }>(
      Prisma.sql`select name from pg_prepared_statements where statement = 'select $1::text as prepared'`,
    )
    return rows.map(({ name }) => name)
  }

  test('has a name that is made of its text, the same in every gateway', async () => {
    const [one, other] = [open({ poolSize: 1 }), open({ poolSize: 1 })]
    await other.read(Prisma.sql`select 'before' as another`)
    for (const database of [one, other]) await database.read(text)
    expect(await names(one)).toEqual([expect.stringMatching(/^identity_gateway_[0-9a-f]{32}$/)])
    expect(await names(other)).toEqual(await names(one))
  })

  test.each(['PREPARE of somebody else', 'DEALLOCATE ALL'])(
    'that meets a session which %s changed is sent unprepared, as all are from then on',
    async (what) => {
      let told = 0
      const database = open({ poolSize: 1, onSharedSessions: () => told++ })
      const known = open({ poolSize: 1 })
      await known.read(text)
      const [name] = await names(known)
      if (what === 'DEALLOCATE ALL') {
        await database.read(text)
        await database.read(Prisma.sql`deallocate all`)
      } else await database.read(Prisma.raw(`prepare ${name} as select 2 as prepared`))
      for (const _time of [1, 2, 3]) expect(await database.read(text)).toEqual([{ prepared: 'x' }])
      expect(told).toBe(1)
    },
  )

  test('whose table was altered is prepared anew', async () => {
    await admin.query('create table altered as select i::int as value from generate_series(1, 3) i')
    const database = open({ poolSize: 3 })
    const values = () => database.read<{ value: unknown }>(Prisma.sql`select value from altered`)
    const many = () => Promise.all(Array.from({ length: 30 }, values))
    await many()
    await admin.query('alter table altered alter column value type text')
    for (const rows of await many()) expect(rows.map(({ value }) => value)).toEqual(['1', '2', '3'])
    await admin.query('drop table altered')
  })

  test('whose table was altered is sent twice at most, however many connections had prepared it', async () => {
    await admin.query('create table altered as select 1 as value')
    const database = open({ poolSize: 3 })
    const value = Prisma.sql`select value, pg_sleep(0.1)::text from altered`
    await Promise.all([1, 2, 3].map(() => database.read(value)))
    await admin.query('alter table altered alter column value type text')
    statements.length = 0
    expect(await database.read(value)).toMatchObject([{ value: '1' }])
    expect(statements.map(({ outcome }) => outcome)).toEqual(['failed', 'answered'])
    await admin.query('drop table altered')
  })
})
