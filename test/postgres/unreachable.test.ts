import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import pg from 'pg'
import { expect, test } from 'vitest'
import { FairQueue } from '../../src/domain/fair-queue.ts'
import { refuse } from '../../src/postgres/failures.ts'
import { createReadPool } from '../../src/postgres/pool.ts'
import { describeUnreachable } from '../../src/postgres/unreachable.ts'

/** What is said of a connection that the driver tries and that fails. */
async function reasonOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  client.on('error', () => {})
  const error: unknown = await client.connect().then(
    () => undefined,
    (failure: unknown) => failure,
  )
  return describeUnreachable(error, url)
}

function poolOf(url: string) {
  return createReadPool({
    url,
    settings: [],
    longestStatementMs: 1000,
    longestWaitMs: 1000,
    queue: new FairQueue({ capacity: 1, partOf: () => 1, mostWaiting: 1, full: 'Full.' }),
    share: () => '',
    mostBytes: 1000,
    onBytes: () => () => {},
    signal: () => undefined,
    onSharedSessions: () => {},
    onStatement: () => {},
    onWaited: () => {},
    onConnectFailure: () => {},
  })
}

async function listening(onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return { port, [Symbol.dispose]: () => void server.close() }
}

test('a socket that is missing is named with its path', async () => {
  expect(await reasonOf('postgresql://gateway@localhost/app?host=/tmp/no-such-folder')).toBe(
    'There is no socket /tmp/no-such-folder/.s.PGSQL.5432: check DATABASE_URL.',
  )
})

test.each(['sslrootcert', 'sslcert', 'sslkey'])(
  'a missing %s is no missing socket',
  async (name) => {
    const url = `postgresql://gateway@127.0.0.1:5432/app?${name}=/tmp/no-such-file.pem`
    const pool = poolOf(url)
    const error: unknown = await pool.query('SELECT 1').catch((failure: unknown) => failure)
    expect(describeUnreachable(error, url)).toBe(
      'A file that the URL names (sslrootcert, sslcert, sslkey) is missing or cannot be read: check DATABASE_URL.',
    )
    expect(() => refuse(error)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
    await pool.end()
  },
)

test.each([
  [
    '08P01',
    'no more connections allowed (max_client_conn)',
    'is a pooler that has no connection left',
  ],
  ['08P01', 'query_wait_timeout', 'is a pooler that has no connection left'],
  [
    '08P01',
    'unsupported startup parameter: options',
    'refuses the connection; a PgBouncer needs ignore_startup_parameters = options',
  ],
  [
    '0A000',
    'This RDS proxy has no credentials for the role app.',
    'is a pooler that refuses the connection; its log says why',
  ],
])('what a pooler says with %s (%s) is told by its cause', (code, message, cause) => {
  const error = Object.assign(new Error(message), { code })
  expect(describeUnreachable(error, 'postgresql://app@db:6432/app')).toBe(
    `PostgreSQL at db:6432 ${cause}: check DATABASE_URL.`,
  )
})

test('a server without TLS is told from one that does not answer', async () => {
  using server = await listening((socket) => socket.on('data', () => socket.end('N')))
  const url = `postgresql://gateway@127.0.0.1:${server.port}/app?sslmode=require`
  expect(await reasonOf(url)).toContain('offers no TLS')
})

test('a server that ends the connection is told from one that does not answer', async () => {
  using server = await listening((socket) => socket.on('data', () => socket.end()))
  const url = `postgresql://gateway@127.0.0.1:${server.port}/app`
  expect(await reasonOf(url)).toContain('ended the connection')
})

test.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'sslrootcert='],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'sslrootcert='],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'sslrootcert='],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'sslrootcert='],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'another name than "db.example"'],
  ['CERT_HAS_EXPIRED', 'has expired'],
  ['EHOSTUNREACH', 'No route'],
])('%s is explained', (code, part) => {
  const error = Object.assign(new Error('failed'), { code })
  expect(describeUnreachable(error, 'postgresql://gateway@db.example/app')).toContain(part)
})

test.each([
  ['no pg_hba.conf entry for host "10.0.0.1", user "gateway", no encryption', 'sslmode=require'],
  [
    'no pg_hba.conf entry for host "10.0.0.1", user "gateway", SSL encryption',
    'no entry in pg_hba',
  ],
])('who is not let in learns whether TLS is missing: %s', (message, part) => {
  const error = Object.assign(new Error(message), { code: '28000' })
  expect(describeUnreachable(error, 'postgresql://gateway@db.example/app')).toContain(part)
})

test('whatever code a connection is refused with, the database cannot be reached', async () => {
  const fields = 'SFATAL\0CXX000\0Mno\0\0'
  const refusal = Buffer.from(`E\0\0\0\0${fields}`)
  refusal.writeInt32BE(4 + fields.length, 1)
  using server = await listening((socket) => socket.on('data', () => socket.end(refusal)))
  const url = `postgresql://gateway@127.0.0.1:${server.port}/app`
  const pool = poolOf(url)
  await expect(pool.query('SELECT 1').catch(refuse)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await reasonOf(url)).toBe(
    `PostgreSQL at 127.0.0.1:${server.port} refuses with SQLSTATE XX000: check DATABASE_URL.`,
  )
  await pool.end()
})
