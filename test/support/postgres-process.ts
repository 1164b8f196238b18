import { execFileSync } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../../src/demo/ports.ts'
import { findPostgresBinaries } from '../../src/demo/postgres-binaries.ts'
import { nobody, SupervisedServer } from '../../src/demo/supervised.ts'

/** A PostgreSQL of the test's own, to be hung, killed and started again with the data it had. */
export interface PostgresProcess {
  /** As the superuser, of the database `postgres`. */
  readonly url: string
  /** Stops it from answering, with all its backends; its connections stay open. */
  hang(): Promise<void>
  resume(): Promise<void>
  /** Ends it at once, with all its backends, hung or not. What was committed is kept. */
  kill(): Promise<void>
  /** As an ordinary server, or as one that follows another and so only reads. `settings` are of this start alone. */
  start(options?: {
    readonly standby?: boolean
    readonly settings?: Readonly<Record<string, string>>
  }): Promise<void>
  /** Ends it in order, cutting every connection. */
  stop(): Promise<void>
  /** Ends it and removes its data. */
  remove(): Promise<void>
}

/** `binaries` is a folder of another PostgreSQL than npm's; `settings` are of the first start alone. */
export async function startPostgresProcess(
  options: {
    readonly binaries?: string | undefined
    readonly settings?: Readonly<Record<string, string>>
  } = {},
): Promise<PostgresProcess> {
  const home = await mkdtemp(join(tmpdir(), 'identity-postgres-'))
  const data = join(home, 'data')
  const passwordFile = join(home, 'password')
  await writeFile(passwordFile, 'secret', { mode: 0o600 })
  if (nobody.uid !== undefined)
    for (const path of [home, passwordFile]) await chown(path, nobody.uid, nobody.gid)
  const bin = options.binaries ?? (await findPostgresBinaries(home))
  const initial = ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, '--locale=C.UTF-8']
  execFileSync(join(bin, 'initdb'), [...initial, '--auth=scram-sha-256', '--no-sync'], {
    ...nobody,
    stdio: 'ignore',
  })
  const port = await findFreePort()
  let server: SupervisedServer | undefined

  const start: PostgresProcess['start'] = async ({ standby = false, settings = {} } = {}) => {
    const signal = join(data, 'standby.signal')
    if (standby) {
      await writeFile(signal, '')
      if (nobody.uid !== undefined) await chown(signal, nobody.uid, nobody.gid)
    } else await rm(signal, { force: true })
    const directory = await mkdtemp(join(tmpdir(), 'identity-postgres-run-'))
    if (nobody.uid !== undefined) await chown(directory, nobody.uid, nobody.gid)
    const words = Object.entries({ ...usual, ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ])
    server = new SupervisedServer({
      directory,
      signal: 'INT',
      commands: [[join(bin, 'postgres'), '-D', data, '-p', String(port), '-k', '', ...words]],
    })
    await server.ready(async () => (await status(data)) === 'ready')
  }
  const signalAll = async (name: NodeJS.Signals) => {
    const first = await postmaster(data)
    if (first === undefined) return
    for (const pid of [first, ...childrenOf(first)]) signalOne(pid, name)
  }
  const stop = async () => {
    await server?.stop()
    server = undefined
  }
  const kill = async () => {
    await signalAll('SIGKILL')
    await stop()
    await rm(join(data, 'postmaster.pid'), { force: true })
  }
  await start({ settings: options.settings ?? {} })
  return {
    url: `postgresql://postgres:secret@127.0.0.1:${port}/postgres`,
    hang: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    kill,
    start,
    stop,
    remove: async () => {
      await kill()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** What was committed survives the end of the process, though not of the machine. */
const usual = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: '100',
}

async function lines(data: string): Promise<string[]> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  return text.split('\n')
}

/** PostgreSQL writes `ready`, or `standby` when it follows another and answers reads. */
async function status(data: string): Promise<'ready' | undefined> {
  const text = (await lines(data)).at(7)?.trim()
  return text === 'ready' || text === 'standby' ? 'ready' : undefined
}

async function postmaster(data: string): Promise<number | undefined> {
  const pid = Number((await lines(data))[0])
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .flatMap((text) => (text.trim() === '' ? [] : [Number(text)]))
  } catch {
    return []
  }
}

function signalOne(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
