import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The command line as it is shipped; `npm test` has built it. */
function start(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  folder = root,
  cwd = folder,
): ChildProcess {
  if (!existsSync(`${root}/dist/cli/main.js`))
    execFileSync('npm', ['run', '-s', 'build'], { cwd: root })
  const { PATH } = process.env
  return spawn(process.execPath, [join(folder, 'dist/cli/main.js'), ...words], {
    cwd,
    env: { ...(PATH === undefined ? {} : { PATH }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command to its end, with no other environment than this; of the checkout, or as it is built in a folder, and
 * from another folder when that is given.
 */
export async function runCli(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder = root,
  cwd = folder,
): Promise<Ended> {
  const child = start(words, env, folder, cwd)
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (text) => {
    output.stdout += text
  })
  child.stderr?.on('data', (text) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

export interface Serving {
  readonly url: string
  readonly pid: number | undefined
  /** What was written to standard output, by line. */
  readonly lines: readonly string[]
  /** What was written to standard error. */
  readonly complaint: () => string
  /** No longer reads that, until the process has ended. */
  ignoreComplaints(): void
  /** Answers once it has ended. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>
}

/** `serve` on a free port of 127.0.0.1, from when it listens. */
export async function startServing(
  env: Readonly<Record<string, string>>,
  folder = root,
): Promise<Serving> {
  const child = start(['serve'], { HOST: '127.0.0.1', PORT: '0', ...env }, folder)
  const lines: string[] = []
  let told = false
  let complaint = ''
  const said = () => [complaint, lines.at(-1)].join('')
  const closed = once(child, 'close').then(([code, signal]): number | null => {
    if (!told) process.stderr.write(`serve ended by itself with ${code ?? signal}: ${said()}\n`)
    return code
  })
  child.stderr?.on('data', (text) => {
    complaint += text
  })
  const url = await new Promise<string>((resolve, reject) => {
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line)
        const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
        if (msg === 'listening' && url !== undefined) resolve(url)
      })
    void closed.then((code) => reject(new Error(`serve ended with ${code}: ${said()}`)))
  })
  return {
    url,
    pid: child.pid,
    lines,
    complaint: () => complaint,
    ignoreComplaints: () => {
      child.stderr?.pause()
      child.once('exit', () => child.stderr?.resume())
    },
    signal: (name) => {
      told = true
      child.kill(name)
      return closed
    },
  }
}
