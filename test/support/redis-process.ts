import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A redis-server of the test's own, to be hung and killed. */
export interface RedisProcess {
  readonly url: string
  readonly port: number
  /** Stops it from answering; its connections stay open. */
  hang(): void
  resume(): void
  /** Ends it at once, hung or not. */
  kill(): Promise<void>
}

/**
 * Keeps no data on disk. `settings` are further words of its command line.
 * @throws Error when there is no redis-server on the PATH.
 */
export async function startRedisProcess(
  options: { readonly port?: number; readonly settings?: readonly string[] } = {},
): Promise<RedisProcess> {
  const port = options.port ?? (await findFreePort())
  const directory = await mkdtemp(join(tmpdir(), 'identity-redis-'))
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  return start([...words, ...(options.settings ?? [])], port, directory)
}

/** A sentinel, whose `lines` of configuration say what it watches. */
export async function startSentinel(...lines: readonly string[]): Promise<RedisProcess> {
  const port = await findFreePort()
  const directory = await mkdtemp(join(tmpdir(), 'identity-sentinel-'))
  const file = join(directory, 'sentinel.conf')
  // What comes later goes before.
  const all = [`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`, ...lines]
  await writeFile(file, `${all.join('\n')}\n`)
  return start([file, '--sentinel'], port, directory)
}

async function start(
  words: readonly string[],
  port: number,
  directory: string,
): Promise<RedisProcess> {
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'ignore'] })
  await ready(child)
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    hang: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await rm(directory, { recursive: true })
    },
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`redis-server ended with ${code} before it was ready.`)
  })
  await Promise.race([failed, announced(child)])
  failed.catch(() => undefined)
}

async function announced(child: ChildProcess): Promise<void> {
  if (child.stdout === null) return
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) if (/Ready to accept connections|\+monitor/.test(line)) break
  child.stdout.resume()
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No free port.')
  return address.port
}
