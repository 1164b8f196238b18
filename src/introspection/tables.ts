import { contract, isAssured, type Model, models } from '../layout/contract.ts'
import { bearing, type KnownNames, type Source, teller } from './known-names.ts'
import { type Column, isColumn, realName, singular, squash, type Table } from './names.ts'

export interface Match {
  readonly model: Model
  readonly table: Table
  readonly recognisedBy: 'name' | 'columns' | Source
}

/** A whole sentence, with what to do about it. */
export interface Problem {
  readonly model: Model
  readonly text: string
}

export interface Matching {
  readonly matches: readonly Match[]
  readonly problems: readonly Problem[]
}

/**
 * Finds the table of each model: the one that is told; else by its name without regard to case, underscores and plural;
 * else by columns and foreign keys that only one table has.
 */
export function matchTables(tables: readonly Table[], known: KnownNames): Matching {
  const matches: Match[] = []
  const problems: Problem[] = []
  const told = models.flatMap((model) => {
    const name = known[model]?.table
    return name ? bearing(tables, name) : []
  })
  const others = tables.filter((table) => !told.includes(table))
  for (const model of models) {
    const found = known[model]?.table
      ? findTold(tables, model, known)
      : recognise(others, model, matches, known)
    if ('table' in found) matches.push({ model, ...found })
    else if (found.problems.length > 0)
      problems.push(...found.problems.map((text) => ({ model, text })))
    else if (contract[model].required)
      problems.push({ model, text: `${model}: no table fits. ${CHECK}` })
  }
  return { matches, problems }
}

/** A column by the name that is told, or else by its canonical name without regard to case and underscores. */
export function findColumns(
  { model, table }: Pick<Match, 'model' | 'table'>,
  field: string,
  known: KnownNames,
): readonly Column[] {
  const columns = table.fields.filter(isColumn)
  const told = known[model]?.columns[field]
  return told
    ? bearing(columns, told)
    : columns.filter((column) => squash(realName(column)) === squash(field))
}

/** Without a table and without problems: the database has no such thing. */
type Found = Omit<Match, 'model'> | { readonly problems: readonly string[] }

const CHECK =
  'Check the database and DATABASE_SCHEMA, that Better Auth has migrated it, that this role may SELECT from it, or name it in --overrides.'

function findTold(tables: readonly Table[], model: Model, known: KnownNames): Found {
  const told = known[model]?.table
  if (!told || told.name === null) return { problems: [] }
  const found = bearing(tables, told)
  const [table, ...others] = found
  const calls = `${teller(told.source)} "${told.name}"`
  const problem = (text: string) => ({ problems: [`${model}: ${text}`] })
  if (!table)
    return problem(`${calls}, but there is no such table that this role may SELECT from. ${CHECK}`)
  if (others.length > 0)
    return problem(`${calls}, but the tables ${list(found)} all fit. Name one in --overrides.`)
  return lacksNothing({ model, table }, known)
    ? { table, recognisedBy: told.source }
    : { problems: [incomplete({ model, table }, known)] }
}

function recognise(
  tables: readonly Table[],
  model: Model,
  found: readonly Match[],
  known: KnownNames,
): Found {
  const named = tables.filter((table) => isNamed(table, model))
  const complete = named.filter((table) => missingColumns({ model, table }, known).length === 0)
  const enough =
    complete.length > 0 ? complete : named.filter((table) => lacksNothing({ model, table }, known))
  const byName = enough.length > 0
  const candidates = byName
    ? enough
    : tables.filter((table) => isUnclaimed(table) && isRecognised({ model, table }, found, known))
  const [table, ...others] = candidates
  if (others.length > 0)
    return {
      problems: [
        `${model}: the tables ${list(candidates)} all fit. Introspect as a role that may SELECT from only one of them, or name one in --overrides.`,
      ],
    }
  if (table) return { table, recognisedBy: byName ? 'name' : 'columns' }
  return { problems: named.map((it) => incomplete({ model, table: it }, known)) }
}

function isNamed(table: Table, model: Model): boolean {
  return singular(realName(table)) === singular(model)
}

function isUnclaimed(table: Table): boolean {
  return !models.some((model) => isNamed(table, model))
}

type Candidate = Pick<Match, 'model' | 'table'>

function missingColumns(candidate: Candidate, known: KnownNames): readonly string[] {
  return Object.keys(contract[candidate.model].columns).filter(
    (field) => findColumns(candidate, field, known).length === 0,
  )
}

/** What may be NULL may be missing as well: older versions of Better Auth had no column for it. */
function lacksNothing(candidate: Candidate, known: KnownNames): boolean {
  return missingColumns(candidate, known).every((field) => !isAssured(candidate.model, field))
}

function isRecognised(candidate: Candidate, found: readonly Match[], known: KnownNames): boolean {
  const { relations = {}, signature = [] } = contract[candidate.model]
  return (
    missingColumns(candidate, known).length === 0 &&
    signature.every((field) => findColumns(candidate, field, known).length > 0) &&
    Object.values(relations).every(({ column, to }) => {
      const target = found.find((match) => match.model === to)
      return target && pointsTo(candidate, column, target.table, known)
    })
  )
}

function pointsTo(candidate: Candidate, field: string, target: Table, known: KnownNames): boolean {
  const names = findColumns(candidate, field, known).map((column) => column.name)
  return candidate.table.fields.some(
    (it) => it.type === target.name && it.relationFromFields?.some((from) => names.includes(from)),
  )
}

function incomplete(candidate: Candidate, known: KnownNames): string {
  const { model, table } = candidate
  const needed = missingColumns(candidate, known).filter((field) => isAssured(model, field))
  const missing = needed.map((field) => {
    const told = known[model]?.columns[field]
    return told?.name ? `${field} (${teller(told.source)} "${told.name}")` : field
  })
  return `${model}: the table "${realName(table)}" has no column for ${missing.join(', ')}. Let this role SELECT them; name them in --overrides; or, if the table is not Better Auth's, name there the one that is, or null.`
}

function list(tables: readonly Table[]): string {
  return tables.map((table) => `"${realName(table)}"`).join(', ')
}
