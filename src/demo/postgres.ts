import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { launchOnFreePort } from './ports.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { nobody, SupervisedServer } from './supervised.ts'

export interface PostgresOptions {
  /** The database to create (`identity`). */
  readonly database?: string
  /** Server settings, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>
}

export type Postgres = Awaited<ReturnType<typeof startPostgres>>

/**
 * A real PostgreSQL on a free port of 127.0.0.1, with a password, because other people may use the same machine.
 * Its data is not durable and does not outlive this process.
 */
export function startPostgres(options: PostgresOptions = {}) {
  return launchOnFreePort((port) => launch(port, options), /could not bind|TCP\/IP/)
}

async function launch(port: number, options: PostgresOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'identity-postgres-'))
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')
  const password = randomBytes(16).toString('hex')
  let server: SupervisedServer | undefined
  try {
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (nobody.uid !== undefined)
      for (const path of [directory, passwordFile]) await chown(path, nobody.uid, nobody.gid)
    const bin = await findPostgresBinaries(directory)
    const settings = Object.entries({ ...defaults, ...options.settings })
    server = new SupervisedServer({
      directory,
      signal: 'INT',
      commands: [
        [join(bin, 'initdb'), '-D', data, `--pwfile=${passwordFile}`, ...clusterOptions],
        [
          join(bin, 'postgres'),
          ...['-D', data, '-p', String(port), '-k', ''],
          ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
      ],
    })
    await server.ready(() => isReady(join(data, 'postmaster.pid')))
    const database = options.database ?? 'identity'
    const address = `postgresql://postgres:${password}@127.0.0.1:${port}`
    await createDatabase(`${address}/postgres`, database)
    const running = server
    return {
      /** As the superuser, with the password. */
      url: `${address}/${database}`,
      port,
      /** The file with the server's log, until it stops. */
      log: server.log,
      stop: () => running.stop(),
    }
  } catch (error) {
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** The collation is PostgreSQL's own, so it is the same on every platform. */
const clusterOptions = [
  ...['-U', 'postgres', '--auth=scram-sha-256', '-E', 'UTF8', '--no-sync', '--no-instructions'],
  ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
]

const defaults = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: '100',
}

/** PostgreSQL writes its state into this file, as its own pg_ctl reads it: no guessing by connecting. */
async function isReady(pidFile: string): Promise<boolean> {
  const status = await readFile(pidFile, 'utf8').catch(() => '')
  return status.split('\n').at(7)?.trim() === 'ready'
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create database ${pg.escapeIdentifier(name)}`)
  await client.end()
}
