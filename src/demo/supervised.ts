import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** The unprivileged account that servers run as when this process is root: PostgreSQL refuses to be root. */
export const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

export interface SupervisedOptions {
  /** Run one after the other; the last one is the server. Each is a program with its arguments. */
  readonly commands: readonly (readonly string[])[]
  /** Where the server keeps its files; removed when it has ended. */
  readonly directory: string
  readonly signal: 'INT' | 'TERM'
}

/**
 * A server that never outlives this process. A shell watches a pipe that only this process holds: when it closes, for
 * whatever reason (also SIGKILL, where no exit handler runs), the shell stops the server and removes its directory.
 */
export class SupervisedServer {
  /** The file that the server's output goes to. */
  readonly log: string
  readonly #child: ChildProcess
  readonly #directory: string
  readonly #closed: Promise<unknown>
  #lastWords = ''

  constructor(options: SupervisedOptions) {
    this.#directory = options.directory
    this.log = join(options.directory, 'log')
    // Detached: Ctrl-C in a terminal reaches this process alone, which then stops its parts in its own order.
    this.#child = spawn('/bin/sh', ['-c', watchdog(options, this.log)], {
      ...nobody,
      detached: true,
      cwd: options.directory,
      env: { PATH: process.env.PATH },
    })
    this.#closed = once(this.#child, 'close')
    this.#closed.catch(() => {})
    this.#child.stdout?.on('data', (chunk) => {
      this.#lastWords += chunk
    })
  }

  /** Asks until the answer is yes. @throws Error with the server's last words when it ends before. */
  async ready(isReady: () => Promise<boolean>): Promise<void> {
    let ended = false
    const end = this.#closed.then(() => {
      ended = true
    })
    while (!(await isReady())) {
      await Promise.race([end, setTimeout(20)])
      if (ended) throw new Error(`The server ended: ${this.#lastWords.trim()}`)
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end()
    await this.#closed.catch(() => {})
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/**
 * The signal is repeated, because a server that has only just been started does not hear the first one. Everything is
 * waited for, because in a container nobody may be there to reap what is left.
 */
function watchdog({ commands, directory, signal }: SupervisedOptions, log: string): string {
  const steps = commands.map((words) => words.map(quote).join(' '))
  const server = `exec ${steps.at(-1)}`
  return `exec 3<&0
{ ${[...steps.slice(0, -1), server].join(' && ')}; } 3<&- >${quote(log)} 2>&1 &
server=$!
{
  read -r _ <&3
  trap '' TERM
  while kill -s ${signal} $server; do sleep 0.05; done
} >/dev/null 2>&1 &
watcher=$!
wait $server
kill $watcher 2>/dev/null
wait $watcher
tail -c 4000 ${quote(log)}
cd / && rm -rf ${quote(directory)}`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
