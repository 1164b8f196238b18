import type {
  CountsByParent,
  Listed,
  Omissible,
  PageRequest,
  PagesByParent,
} from '../../domain/page.ts'
import type { Context } from '../context.ts'
import { defineLoader } from '../loaders.ts'

export type List<Entity, Variant> = ReturnType<typeof defineList<Entity, Variant>>

/** Stands for the parent of a list that has none. */
export const NO_PARENT = ''

/** Which fields tell what a page may come without. */
type NeededBy = Readonly<Partial<Record<Omissible, readonly string[]>>>

const OF_ANY = { more: ['hasNextPage', 'hasPreviousPage'] } as const satisfies NeededBy
export const OF_MEMBERSHIPS = {
  position: ['cursor', 'startCursor', 'endCursor', 'createdAt', 'joinedAt'],
} as const satisfies NeededBy
export const OF_LISTED_PEOPLE = {
  ...OF_MEMBERSHIPS,
  'user.image': ['image'],
  'user.email': ['email'],
} as const satisfies NeededBy

export interface Which<Variant> {
  readonly variant: Variant
  readonly page: PageRequest
}

/**
 * A list of the graph, declared once, beside the field that shows it. Its variant is whatever else decides what the list
 * holds and in which order: parents with the same variant share a statement.
 */
export function defineList<Entity, Variant = null>(list: {
  /** For example `Organization.members`. */
  readonly field: string
  /** What else its pages come without, where none of these fields is selected, at any depth. */
  readonly neededBy?: NeededBy
  /** The same page of several parents. A parent that is left out of the answer has an empty list. */
  readonly load: (
    parentIds: readonly string[],
    page: PageRequest,
    context: Context,
    variant: Variant,
  ) => Promise<PagesByParent<Listed<Entity>>>
  readonly count: (
    parentIds: readonly string[],
    context: Context,
    variant: Variant,
  ) => Promise<CountsByParent>
}) {
  const neededBy: NeededBy = { ...OF_ANY, ...list.neededBy }
  const omissible = Object.keys(neededBy) as Omissible[]
  return {
    field: list.field,
    /** What a page need not come with when fields of these names are selected below it. */
    without: (selected: ReadonlySet<string>): readonly Omissible[] =>
      omissible.filter((part) => !neededBy[part]?.some((field) => selected.has(field))),
    pages: defineLoader(
      async (ids: readonly string[], context, { variant, page }: Which<Variant>) => {
        await turnOf(context)
        const pages = await list.load(ids, page, context, variant)
        return ids.map((id) => pages.get(id))
      },
    ),
    counts: defineLoader(async (ids: readonly string[], context, variant: Variant) => {
      await turnOf(context)
      const counts = await list.count(ids, context, variant)
      return ids.map((id) => counts.get(id))
    }),
  }
}

/** Making and sending the statement of a list takes as long as answering with so many entries. */
const OF_A_STATEMENT = 10

async function turnOf({ pace }: Context): Promise<void> {
  await pace.take(OF_A_STATEMENT)
}
