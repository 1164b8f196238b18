import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { findFreePort } from '../../../src/demo/ports.ts'
import { need } from './need.ts'

export interface PgBouncer {
  /** The address of a database through the pooler, of a direct one. */
  through(url: string): string
  /** Lets it make its connections anew, and forget what PostgreSQL told of the old ones. */
  reconnect(): Promise<void>
  stop(): Promise<void>
}

/** `nobody`, because PgBouncer does not run as root. */
const NOBODY = 65_534

/** A PgBouncer in transaction mode before one PostgreSQL, for the role of a URL. `settings` are further lines of its file. */
export async function startPgBouncer(
  url: string,
  settings: readonly string[] = [],
): Promise<PgBouncer> {
  await need('pgbouncer')
  const { hostname, port: serverPort, username, password } = new URL(url)
  const port = await findFreePort()
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
  const users = join(folder, 'users.txt')
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`)
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${serverPort}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    `admin_users = ${decodeURIComponent(username)}`,
    'pool_mode = transaction',
    'default_pool_size = 3',
    'max_client_conn = 500',
    ...settings,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const asRoot = process.getuid?.() === 0
  if (asRoot) for (const path of [folder, users, file]) await chown(path, NOBODY, NOBODY)
  const child = spawn('pgbouncer', [file], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  const ended = once(child, 'exit')
  await untilListening(child, port)
  return {
    through(direct) {
      const address = new URL(direct)
      address.port = String(port)
      return address.href
    },
    async reconnect() {
      const console = new URL(url)
      console.port = String(port)
      console.pathname = '/pgbouncer'
      const client = new pg.Client(console.href)
      await client.connect()
      await client.query('RECONNECT')
      await client.end()
    },
    async stop() {
      child.kill('SIGINT')
      await setTimeout(100)
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (there) return
    await setTimeout(20)
  }
  throw new Error(`pgbouncer ended with ${child.exitCode} before it listened.`)
}
