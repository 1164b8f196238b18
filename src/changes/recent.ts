import type { Heard, Notice } from '../domain/changes.ts'
import { encodePosition, type Position } from './resume-token.ts'

/** Ids that are remembered at most. */
const MOST_IDS = 20_000
/**
 * So long before a position a subscription goes on, because a notice takes a moment from the commit to a gateway, and
 * longer to one than to another. Longer than a gateway hears nothing without saying that it has lost the source.
 */
const MARGIN_MS = 10_000

interface Entry {
  readonly ms: number
  /** `null`: of everything. */
  readonly notice: Notice | null
  readonly ids: number
}

/** What was told lately, so that whoever was away for a moment is told of what they have missed, and of no more. */
export class Recent {
  readonly #entries: Entry[] = []
  #ids = 0
  #heard: Heard | null = null
  /** All that was told since then is remembered, by the clock. */
  #completeSinceMs = Number.POSITIVE_INFINITY

  /** Until where everything was told; `null` while nobody knows. */
  get token(): string | null {
    return this.#heard && encodePosition({ clock: this.#heard.clock, ms: this.#heard.untilMs })
  }

  heard(heard: Heard): void {
    const goesOn = this.#heard?.clock === heard.clock && this.#heard.sinceMs === heard.sinceMs
    if (!goesOn) this.forget(heard.sinceMs)
    // A clock that is set back does not take back what was told.
    const untilMs = Math.max(heard.untilMs, this.#heard?.untilMs ?? 0)
    this.#heard = { ...heard, untilMs }
  }

  forget(completeSinceMs = Number.POSITIVE_INFINITY): void {
    this.#heard = null
    this.#entries.length = 0
    this.#ids = 0
    this.#completeSinceMs = completeSinceMs
  }

  /** @param notice `null`: of everything. */
  add(notice: Notice | null): void {
    if (!this.#heard) return
    const ids = 1 + Object.values(notice ?? {}).reduce((sum, of) => sum + of.length, 0)
    this.#entries.push({ ms: this.#heard.untilMs, notice, ids })
    this.#ids += ids
    while (this.#ids > MOST_IDS) this.#dropOldest()
  }

  /** What may have been told after this position, `null` among it standing for everything; `null`: nobody knows. */
  after({ clock, ms }: Position): readonly (Notice | null)[] | null {
    const from = ms - MARGIN_MS
    if (this.#heard?.clock !== clock || from < this.#completeSinceMs) return null
    // Of what is still to come by this clock, another one has told.
    if (from > this.#heard.untilMs) return null
    return this.#entries.filter((entry) => entry.ms >= from).map(({ notice }) => notice)
  }

  #dropOldest(): void {
    const oldest = this.#entries.shift()
    if (!oldest) return
    this.#ids -= oldest.ids
    // Others may have come at the same moment.
    this.#completeSinceMs = oldest.ms + 1
  }
}
