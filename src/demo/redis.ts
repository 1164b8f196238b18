import { execFile } from 'node:child_process'
import { chown, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { launchOnFreePort } from './ports.ts'
import { nobody, SupervisedServer } from './supervised.ts'

export interface RedisServer {
  readonly url: string
  /** Ends what was started here; a Redis that was there before goes on. */
  stop(): Promise<void>
}

/**
 * The Redis of that URL; without one, the machine's own `redis-server`, started on a free port of 127.0.0.1 and
 * keeping nothing. `null` when there is none on the PATH.
 */
export async function findOrStartRedis(options: {
  readonly url?: string | undefined
}): Promise<RedisServer | null> {
  if (options.url) return { url: options.url, stop: async () => {} }
  if (!(await isInstalled())) return null
  return launchOnFreePort(launch, /Failed listening/)
}

function isInstalled(): Promise<boolean> {
  return promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  )
}

async function launch(port: number): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'identity-redis-'))
  if (nobody.uid !== undefined) await chown(directory, nobody.uid, nobody.gid)
  const server = new SupervisedServer({
    directory,
    signal: 'TERM',
    commands: [
      [
        'redis-server',
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
        ...['--save', '', '--appendonly', 'no', '--shutdown-timeout', '0'],
      ],
    ],
  })
  try {
    await server.ready(async () => {
      const log = await readFile(server.log, 'utf8').catch(() => '')
      return log.includes('Ready to accept connections')
    })
  } catch (error) {
    await server.stop()
    throw error
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => server.stop() }
}
