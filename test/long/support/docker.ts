import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { vi } from 'vitest'
import { need } from './need.ts'

/** A Docker in a network of its own, so that neither its ports nor its rules are those of the machine. */
export interface Docker {
  /** Of whoever asks this Docker. */
  readonly environment: Readonly<Record<string, string>>
  /** Runs a command, with what another prints as its input. Answers what it printed. @throws Error with what it said. */
  run(
    command: string,
    words: readonly string[],
    options?: { readonly cwd?: string; readonly input?: ChildProcess },
  ): Promise<string>
  /** Asks a port of 127.0.0.1 as it is where Docker runs. */
  ask(port: number, path: string, asked?: Asked): Promise<Answer>
  stop(): Promise<void>
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** Networks of one's own are for root on Linux alone, and not in every container. */
export const dockerCanRun =
  process.getuid?.() === 0 && spawnSync('unshare', ['--net', '--mount', 'true']).status === 0

const PATH = `${process.env.PATH}:/usr/sbin`

/** Everything of it is in this folder, which `stop` removes. Commands are told these variables as well. */
export async function startDocker(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Docker> {
  for (const command of ['dockerd', 'docker']) await need(command, 'docker.io')
  await need('ip', 'iproute2')
  await mkdir(folder, { recursive: true })
  const place = (name: string) => join(folder, name)
  const log = openSync(place('log'), 'w')
  const places = { 'data-root': 'data', 'exec-root': 'exec', pidfile: 'pid' }
  const words = Object.entries(places).map(([flag, name]) => `--${flag}=${place(name)}`)
  const DOCKER_HOST = `unix://${place('socket')}`
  const start = `ip link set lo up && exec dockerd --host=${DOCKER_HOST} ${words.join(' ')}`
  const daemon = spawn('unshare', ['--net', '--mount', 'sh', '-c', start], {
    env: { ...process.env, PATH },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = once(daemon, 'exit')
  // The builder that comes with Docker: another one is an extension that few Debians have.
  const environment = { PATH, HOME: folder, DOCKER_HOST, DOCKER_BUILDKIT: '0', ...variables }
  const tunnels = new Map<number, Promise<ChildProcess>>()

  const run: Docker['run'] = async (command, words, { cwd, input } = {}) => {
    const running = promisify(execFile)(command, words, { cwd, env: environment, maxBuffer: 1e8 })
    const { stdin } = running.child
    if (input?.stdout && stdin) input.stdout.pipe(stdin)
    else stdin?.end()
    return (await running).stdout
  }

  /** From a socket in the file system, which is the same in every network. */
  async function tunnelTo(port: number): Promise<ChildProcess> {
    const program = `
      const { connect, createServer } = require('node:net')
      createServer((from) => {
        const to = connect(${port}, '127.0.0.1')
        for (const [one, other] of [[from, to], [to, from]]) one.on('error', () => other.destroy())
        from.pipe(to).pipe(from)
      }).listen('${place(`port-${port}`)}', () => console.log('listening'))`
    const words = [`--net=/proc/${daemon.pid}/ns/net`, process.execPath, '-e', program]
    const child = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return child
  }

  try {
    const answers = () => run('docker', ['version']).then(Boolean, () => daemon.exitCode !== null)
    await vi.waitUntil(answers, { timeout: 30_000, interval: 200 })
    await run('docker', ['version'])
  } catch {
    daemon.kill()
    throw new Error(`Docker does not start: ${await readFile(place('log'), 'utf8')}`)
  }
  return {
    environment,
    run,
    async ask(port, path, { headers = {}, body } = {}) {
      const tunnel = tunnels.get(port) ?? tunnelTo(port)
      tunnels.set(port, tunnel)
      await tunnel
      const asked = request({
        socketPath: place(`port-${port}`),
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/json', ...headers },
      })
      asked.end(body === undefined ? undefined : JSON.stringify(body))
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      return { status: response.statusCode, headers: response.headers, text: await text(response) }
    },
    async stop() {
      for (const tunnel of tunnels.values()) (await tunnel).kill()
      const containers = (await run('docker', ['ps', '-aq'])).split('\n').filter(Boolean)
      if (containers.length > 0) await run('docker', ['rm', '-fv', ...containers])
      daemon.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
