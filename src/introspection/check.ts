import { contract, type Model } from '../layout/contract.ts'
import { checkColumns } from './columns.ts'
import type { KnownNames } from './known-names.ts'
import { realName } from './names.ts'
import type { Match, Matching, Problem } from './tables.ts'

export interface Checked {
  readonly matches: readonly Match[]
  /** Whole sentences about what keeps the database from being read. */
  readonly problems: readonly string[]
  /** Whole sentences about tables that it is read without. */
  readonly unreadTables: readonly string[]
}

/** Looks at each table for what is not as Better Auth makes it; nobody does without one that was named on purpose. */
export function checkTables({ matches, problems }: Matching, known: KnownNames): Checked {
  const isLeftOut = (model: Model) => contract[model].dispensable && !isTold(model, known)
  const kept: Match[] = []
  const found: Problem[] = [...problems]
  for (const match of matches) {
    const wrong = [...checkTargets(match, kept), ...checkColumns(match, known)]
    if (wrong.length === 0 || !isLeftOut(match.model)) kept.push(match)
    found.push(...wrong.map((text) => ({ model: match.model, text })))
  }
  const alone = kept.filter(({ model }) => isAlone(model, kept))
  const texts = (some: readonly Problem[]) => some.map(({ text }) => text)
  return {
    matches: kept.filter((match) => !alone.includes(match)),
    problems: texts(found.filter(({ model }) => !isLeftOut(model))),
    unreadTables: [
      ...texts(found.filter(({ model }) => isLeftOut(model))),
      ...alone.map(describeAlone),
    ].map((text) => `${text} The graph does without the table.`),
  }
}

function isAlone(model: Model, found: readonly Match[]): boolean {
  const { partner } = contract[model]
  return partner !== undefined && !found.some((other) => other.model === partner)
}

/** Better Auth before 1.3 had teams, and no table of who is in them. */
function describeAlone({ model, table }: Match): string {
  return `${model}: the table "${realName(table)}" is shown only with one for ${contract[model].partner}, and no table fits.`
}

function isTold(model: Model, known: KnownNames): boolean {
  const { table, columns = {} } = known[model] ?? {}
  return table !== undefined || Object.keys(columns).length > 0
}

/** A model without the one it points to could be listed but not shown. */
function checkTargets({ model, table }: Match, found: readonly Match[]): readonly string[] {
  return Object.values(contract[model].relations ?? {})
    .filter(({ to }) => !found.some((other) => other.model === to))
    .map(
      ({ to }) =>
        `${model}: the table "${realName(table)}" points to ${to}, for which no table fits. Let this role SELECT from both or from neither.`,
    )
}
