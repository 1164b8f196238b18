import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { NoticeListener } from '../domain/changes.ts'
import type { ContinuityListener, InvalidationSource } from '../domain/invalidation.ts'
import { CHANGES_CHANNEL, decodeChanges, json } from '../layout/change-notification.ts'
import { CHANNEL } from '../layout/trigger-sql.ts'
import { endAtOnce, openSession } from './session-options.ts'

interface PostgresNotificationsOptions {
  /** Of the database's primary, and not through a pooler that shares sessions. */
  readonly url: string
  readonly listener: ContinuityListener
  /** Absent: nobody is to be told what has changed. */
  readonly notices?: NoticeListener | undefined
  /** Told once when the connection is lost or cannot be made, and not again before it was there. */
  readonly onTrouble: (error: unknown) => void
}

/** That of the database, whichever gateway asks for it. */
const CLOCK = 'database'
const CONNECT_TIMEOUT_MS = 5000
const HEARTBEAT_MS = 1000
const ANSWER_TIMEOUT_MS = 1000
const LONGEST_PAUSE_MS = 2000

/** Listens for what the triggers tell, on one connection of its own, and makes a new one when it is lost. */
export class PostgresNotifications implements InvalidationSource {
  readonly #options: PostgresNotificationsOptions
  readonly #ended: Promise<void>
  #closed = false
  #proven = false
  /** Counts how often everything had to be taken for changed. */
  #resets = 0
  #wake = (): void => {}

  constructor(options: PostgresNotificationsOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  /** As if everybody's permissions had changed. */
  reset(): void {
    this.#resets++
    this.#options.listener.lost()
    this.#wake()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#ended
  }

  async #run(): Promise<void> {
    let pauseMs = 0
    let inTrouble = false
    while (!this.#closed) {
      try {
        await this.#listen(() => {
          pauseMs = 0
          inTrouble = false
        })
      } catch (error) {
        this.#options.listener.lost()
        this.#options.notices?.lost()
        if (!inTrouble) this.#options.onTrouble(error)
        inTrouble = true
        await this.#sleep(pauseMs)
        pauseMs = Math.min(pauseMs * 2 + 10, LONGEST_PAUSE_MS)
      }
    }
  }

  /** @throws Error when the connection is lost; returns when it is no longer wanted. */
  async #listen(onListening: () => void): Promise<void> {
    if (!this.#proven && !(await isHeard(this.#options.url))) throw new Error(NOT_HEARD)
    this.#proven = true
    const client = await openListening(this.#options.url)
    let failure: Error | undefined
    const fail = (error: Error) => {
      failure ??= error
      this.#wake()
    }
    client.on('error', fail)
    client.on('end', () => fail(new Error('PostgreSQL ended the connection.')))
    client.on('notification', ({ channel, payload = '' }) => this.#tell(channel, payload))
    try {
      await client.query(`LISTEN ${CHANNEL}`)
      if (this.#options.notices) await client.query(`LISTEN ${CHANGES_CHANNEL}`)
      let since: Date | undefined
      let listeningSince: Date | undefined
      let seen = this.#resets
      while (!this.#closed) {
        const asked = this.#resets
        const atMs = performance.now()
        const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')
        if (failure) throw failure
        const now = rows[0]?.now
        listeningSince ??= now
        if (now && listeningSince) this.#heardUntil(now, listeningSince)
        // A clock that was read before everything changed says nothing of the time after it.
        if (asked !== this.#resets) continue
        if (seen !== asked) since = undefined
        seen = asked
        since ??= now
        if (since) this.#options.listener.heard({ since, atMs })
        onListening()
        await this.#sleep(HEARTBEAT_MS)
        if (failure) throw failure
      }
    } finally {
      endAtOnce(client)
    }
  }

  #tell(channel: string, payload: string): void {
    if (channel === CHANGES_CHANNEL) this.#tellChanges(payload)
    else this.#tellTargets(payload)
  }

  #tellTargets(payload: string): void {
    const { listener, notices } = this.#options
    const { all, users = [], organizations = [] } = decode(payload)
    if (all) {
      this.reset()
      notices?.toldOfAll()
      return
    }
    for (const userId of users) listener.changed({ userId })
    for (const organizationId of organizations) listener.changed({ organizationId })
    // So those are told who have subscribed where the triggers for them are not installed.
    if (users.length > 0) notices?.told({ users })
    if (organizations.length > 0) notices?.told({ everyoneIn: organizations })
  }

  #tellChanges(payload: string): void {
    const changes = decodeChanges(payload)
    if (changes === 'all') this.#options.notices?.toldOfAll()
    else if (changes) this.#options.notices?.told(changes)
  }

  #heardUntil(now: Date, since: Date): void {
    const [sinceMs, untilMs] = [since.getTime(), now.getTime()]
    this.#options.notices?.heard({ clock: CLOCK, sinceMs, untilMs })
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function openListening(url: string) {
  return openSession(url, ['default_transaction_read_only=on'], {
    application_name: 'identity-gateway-events',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
  })
}

/**
 * Whether what is notified arrives at a connection like the one that listens to the triggers. Through a pooler that
 * shares sessions, `LISTEN` succeeds and nothing ever comes.
 * @param notify Sends a payload, which tells gateways nothing, on the channel of the triggers; over another connection.
 * Where it is missing or rejects, one to the same address does.
 * @throws Error of the driver when the address cannot be listened to.
 */
export async function isHeard(
  url: string,
  notify: (channel: string, payload: string) => Promise<unknown> = () => Promise.reject(),
): Promise<boolean> {
  const sent = JSON.stringify({ probe: randomUUID() })
  const client = await openListening(url)
  let timer: NodeJS.Timeout | undefined
  try {
    const heard = new Promise<boolean>((resolve) => {
      client.on('notification', ({ payload }) => payload === sent && resolve(true))
    })
    await client.query(`LISTEN ${CHANNEL}`)
    await notify(CHANNEL, sent).catch(() => notifyFrom(url, sent))
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ARRIVAL_MS)
    })
    return await Promise.race([heard, late])
  } finally {
    clearTimeout(timer)
    endAtOnce(client)
  }
}

const ARRIVAL_MS = 1000
export const NOT_HEARD = 'What is notified does not arrive.'

/** A database that is read may be a standby, which sends nothing. */
async function notifyFrom(url: string, payload: string): Promise<void> {
  const client = await openListening(url)
  try {
    await client.query('SELECT pg_catalog.pg_notify($1, $2)', [CHANNEL, payload])
  } finally {
    endAtOnce(client)
  }
}

/**
 * What the triggers sent. Anybody with an account in the database can notify as well: what says nothing changes
 * nothing.
 */
function decode(payload: string): z.infer<typeof notification> {
  return notification.safeParse(payload).data ?? {}
}

const ids = z.array(z.string()).optional()
const notification = json.pipe(
  z.object({ all: z.literal(true).optional(), users: ids, organizations: ids }),
)
