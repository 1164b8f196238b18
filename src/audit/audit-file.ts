import { close, constants, fstatSync, openSync, type Stats, write } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AuditRecord, AuditSink } from '../domain/audit.ts'
import { describeError } from '../telemetry/log.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

/**
 * Records as lines of JSON, at the end of a file or into a pipe. Nobody waits for them: they are gathered and written in
 * the background, what fails is tried again, and what is too much meanwhile is lost.
 */
export class AuditFile implements AuditSink {
  readonly #path: string
  readonly #telemetry: Pick<Telemetry, 'log' | 'metrics'>
  /** In characters. */
  readonly #mostWaiting: number
  readonly #lines: string[] = []
  #waiting = 0
  #open: { readonly fd: number; readonly stats: Stats } | null = null
  #writing: Promise<void> | null = null
  #ended = false
  #failing = false
  #lost = 0

  constructor(path: string, telemetry: Pick<Telemetry, 'log' | 'metrics'>, mostWaiting = 8 << 20) {
    this.#path = path
    this.#telemetry = telemetry
    this.#mostWaiting = mostWaiting
  }

  /** @throws Error when it cannot be written. */
  open(): { readonly fd: number } {
    const fd = openToAppend(this.#path)
    this.#close()
    this.#open = { fd, stats: fstatSync(fd) }
    return this.#open
  }

  write(record: AuditRecord): void {
    const line = `${JSON.stringify(record)}\n`
    if (this.#ended || this.#waiting + line.length > this.#mostWaiting) {
      this.#lose(1)
      return
    }
    this.#lines.push(line)
    this.#waiting += line.length
    this.#writing ??= this.#writeAll()
  }

  /** Writes what waits, and loses what takes too long. */
  async close(): Promise<void> {
    const giveUp = new AbortController()
    const tooLong = sleep(LAST_WRITES_MS, undefined, { signal: giveUp.signal }).catch(() => {})
    await Promise.race([this.#writing, tooLong])
    giveUp.abort()
    this.#ended = true
    if (this.#lines.length > 0) this.#lose(this.#lines.length)
    void Promise.resolve(this.#writing).then(() => this.#close())
  }

  async #writeAll(): Promise<void> {
    await sleep(GATHER_MS)
    while (this.#lines.length > 0) {
      const lines = this.#lines.slice(0, BATCH)
      const text = lines.join('')
      await this.#append(Buffer.from(text))
      if (this.#ended) return
      this.#lines.splice(0, lines.length)
      this.#waiting -= text.length
    }
    this.#writing = null
    const { log } = this.#telemetry
    if (this.#failing || this.#lost > 0) log.warn({ lost: this.#lost }, 'The audit log goes on.')
    this.#failing = false
    this.#lost = 0
  }

  /** Until all of it is written, or nobody waits for it any more. */
  async #append(lines: Buffer): Promise<void> {
    let at = 0
    while (at < lines.length && !this.#ended) {
      try {
        const known = await this.#findOpen()
        // Each file has whole lines.
        if (!known && at > 0) at = lines.lastIndexOf('\n', at - 1) + 1
        const { fd } = known ?? this.open()
        at += (await writeTo(fd, lines, at)).bytesWritten
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN'
        if (!isFull) this.#fail(error)
        await sleep(isFull ? FULL_PIPE_MS : TRY_AGAIN_MS, undefined, { ref: false })
      }
    }
  }

  /** `null`: the path leads to another file by now, as after a rotation. */
  async #findOpen() {
    const named = await stat(this.#path).catch(() => null)
    const open = this.#open
    return named && named.ino === open?.stats.ino && named.dev === open.stats.dev ? open : null
  }

  #fail(error: unknown): void {
    const problem = { error: describeError(error) }
    if (!this.#failing) this.#telemetry.log.error(problem, 'The audit log cannot be written.')
    this.#failing = true
  }

  #lose(records: number): void {
    const { log, metrics } = this.#telemetry
    metrics?.auditDropped(records)
    if (this.#lost === 0) log.error('Records of the audit log are lost.')
    this.#lost += records
  }

  #close(): void {
    if (this.#open && this.#open.fd !== process.stderr.fd) close(this.#open.fd)
    this.#open = null
  }
}

const GATHER_MS = 100
/** In lines. */
const BATCH = 256
const FULL_PIPE_MS = 20
const TRY_AGAIN_MS = 500
const LAST_WRITES_MS = 2000

const writeTo = promisify(write)

/**
 * So that writing to a full pipe fails at once: otherwise one of the few threads of Node.js waits for its reader, and at the
 * end the process for that thread. Standard error may be a socket, which cannot be opened; Node.js has made it so by itself.
 */
function openToAppend(path: string): number {
  if (path === '/dev/stderr') return process.stderr.fd
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640)
}
