import { type Model, models } from '../layout/contract.ts'
import { type Named, realName, singular, squash } from './names.ts'

/** Who says what something is called: the file of overrides, or Better Auth as the application configures it. */
export type Source = 'overrides' | 'auth'

/** What a table or column is called; `null`: there is none. */
export interface KnownName {
  readonly name: string | null
  readonly source: Source
}

export interface KnownTable {
  readonly table?: KnownName
  /** By field, also fields that are not in the contract. */
  readonly columns: Readonly<Record<string, KnownName>>
  /** Fields that Better Auth keeps but never returns. */
  readonly hidden?: readonly string[]
  /** Of sessions, see `Table`. */
  readonly authoritative?: boolean
}

/** Names that are told rather than recognised. */
export type KnownNames = Readonly<Partial<Record<Model, KnownTable>>>

/** What the overrides say, and where they say nothing, what Better Auth does. */
export function combine(overrides: KnownNames, auth: KnownNames): KnownNames {
  return Object.fromEntries(
    models.map((model) => [
      model,
      {
        ...auth[model],
        ...overrides[model],
        columns: { ...auth[model]?.columns, ...overrides[model]?.columns },
      },
    ]),
  )
}

/**
 * Those that bear the name. An override is the real name. What Better Auth says may be translated on its way to the
 * database, by Drizzle's or Prisma's schema or Kysely's CamelCasePlugin: then case, underscores and plural do not count.
 */
export function bearing<Item extends Named>(
  all: readonly Item[],
  { name, source }: KnownName,
): readonly Item[] {
  if (name === null) return []
  const exactly = all.filter((it) => realName(it) === name)
  if (exactly.length > 0 || source === 'overrides') return exactly
  const closely = all.filter((it) => squash(realName(it)) === squash(name))
  return closely.length > 0
    ? closely
    : all.filter((it) => singular(realName(it)) === singular(name))
}

/** The beginning of a sentence about a name. */
export function teller(source: Source): string {
  return source === 'overrides' ? 'the overrides call it' : 'Better Auth calls it'
}
