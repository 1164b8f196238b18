import fc from 'fast-check'

/** One entry of any list; each list under test reads from it what it needs. */
export interface Entry {
  /** What clients know it by. Ids of what belongs to it are derived, so that they sort otherwise. */
  readonly id: string
  /** Microseconds after `start`. */
  readonly at: number
  readonly name: string
  readonly role: string
  /** For whatever has a few kinds: a status, a ban, a missing time. */
  readonly kind: number
  /** Entries come and go between two pages; cursors are taken of those that are there before. */
  readonly life: 'stays' | 'goes' | 'comes'
}

/** So that ten microseconds later another second begins. */
export const start = '2026-03-29T00:59:59.999990Z'

const letters = ['a', 'A', 'b', 'é', 'É', 'ß', '%', '_', '\\', '-', ' ', '0'] as const

/** Ids and names that collations order differently, many equal names, and few distinct microseconds. */
export const entries = fc.uniqueArray(
  fc.record({
    id: fc.string({
      unit: fc.constantFrom('a', 'B', '-', '_', 'é', '0'),
      minLength: 1,
      maxLength: 4,
    }),
    at: fc.constantFrom(0, 9, 10, 11),
    name: fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 2 }),
    role: fc.constantFrom('member', 'owner', 'admin', 'admin,owner', ' owner , member', 'owners'),
    kind: fc.nat({ max: 3 }),
    life: fc.constantFrom('stays', 'stays', 'goes', 'comes'),
  }),
  { selector: ({ id }) => id, maxLength: 12, size: 'medium' },
)

export interface Asked {
  readonly size: number
  readonly from: 'start' | 'end'
  /** Places among the entries that cursors were taken of; beyond their number they count from the start again. */
  readonly after?: number | undefined
  readonly before?: number | undefined
}

const place = fc.option(fc.nat({ max: 11 }), { nil: undefined, freq: 2 })

export const pages = fc.array(
  fc.record({
    size: fc.constantFrom(1, 1, 2, 2, 3, 4, 5, 13),
    from: fc.constantFrom('start', 'end'),
    after: place,
    before: place,
  }),
  { minLength: 4, maxLength: 8 },
)

/** What Relay's specification says of a plain array, of which some entries are there and some are not. */
export function pageOf(
  sorted: readonly Entry[],
  isThere: (entry: Entry) => boolean,
  {
    size,
    from,
    after,
    before,
  }: Omit<Asked, 'after' | 'before'> & {
    readonly after?: Entry | undefined
    readonly before?: Entry | undefined
  },
) {
  const first = after ? sorted.indexOf(after) : Number.NEGATIVE_INFINITY
  const end = before ? sorted.indexOf(before) : Number.POSITIVE_INFINITY
  const there = sorted.flatMap((entry, index) => (isThere(entry) ? [{ id: entry.id, index }] : []))
  const between = there.filter(({ index }) => index > first && index < end)
  const page = from === 'start' ? between.slice(0, size) : between.slice(-size)
  const more = between.length > size
  return {
    ids: page.map(({ id }) => id),
    hasNextPage: (from === 'start' && more) || there.some(({ index }) => index >= end),
    hasPreviousPage: (from === 'end' && more) || there.some(({ index }) => index <= first),
    totalCount: there.length,
  }
}

/** Oldest first, ties by id as PostgreSQL's C collation has them. */
export function byTime(a: Entry, b: Entry): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1)
}
