import internals from '@prisma/internals'
import { MARK } from '../layout/absent.ts'
import { type Model, models, tokenFields } from '../layout/contract.ts'
import type { Column, Layout, Table } from '../layout/layout.ts'
import { printLayout } from '../layout/schema-file.ts'
import { matchAbsent } from './absent.ts'
import { type AdditionalColumn, type AskedFields, leftOut, matchAdditional } from './additional.ts'
import { checkTables } from './check.ts'
import { describeUnread, type Field, matchFields, storedField } from './columns.ts'
import type { KnownNames } from './known-names.ts'
import { type Table as Found, realName } from './names.ts'
import { findColumns, type Match, matchTables } from './tables.ts'

/** What introspection found, by canonical names and real table names. */
export interface Report {
  readonly found: readonly {
    readonly model: Model
    readonly table: string
    readonly recognisedBy: Match['recognisedBy']
  }[]
  readonly absentModels: readonly Model[]
  /** `Model.field`, of the models found. */
  readonly absentColumns: readonly string[]
  /** Whole sentences about tables that the graph lacks because they are not as Better Auth's are. */
  readonly unreadTables: readonly string[]
  /** Whole sentences about columns that the graph lacks because they are of a type that is not read. */
  readonly unreadColumns: readonly string[]
  /** Fields of the application's own that the graph shows: `Model.field`. */
  readonly additionalFields: readonly string[]
  /** `Model.column`, by the column's real name: rows that it marks count as absent. */
  readonly absentBy: readonly string[]
  /** Columns of the tables found that the graph does not show, but secrets: `Model.column`, by the column's real name. */
  readonly leftOutColumns: readonly string[]
  /** Tables of the same PostgreSQL schema that the gateway does not read. */
  readonly ignoredTables: readonly string[]
}

export interface Canonical {
  /** The text of the canonical schema.prisma; only good when there are no problems. */
  readonly schema: string
  readonly report: Report
  /** Whole sentences, each with what to do about it. */
  readonly problems: readonly string[]
}

/**
 * Turns what the engine pulled from one database into the schema that all databases share but for the real names.
 * @param known Names that are told rather than recognised.
 * @param asked Fields of the application's own to be shown.
 */
export async function canonicalise(
  raw: string,
  known: KnownNames = {},
  asked: AskedFields = {},
): Promise<Canonical> {
  const { datamodel } = await internals.getDMMF({ datamodel: withoutWidths(raw) })
  const { matches, problems, unreadTables } = checkTables(
    matchTables(datamodel.models, known),
    known,
  )
  const additional = matchAdditional(asked, matches, known)
  const marks = matchAbsent(asked.absent ?? {}, matches)
  const added = (model: Model): readonly AdditionalColumn[] =>
    (additional.columns as Partial<Record<Model, readonly AdditionalColumn[]>>)[model] ?? []
  const described = models.map((model) => {
    const match = matches.find((it) => it.model === model)
    return {
      model,
      table: match?.table,
      fields: matchFields(model, match, known),
      additional: added(model),
      mark: marks.columns.get(model),
      tokenColumn: match && tokenColumn(match, known),
      authoritative: known[model]?.authoritative,
    }
  })
  const present = described.filter(({ table }) => table)
  return {
    schema: await format(printLayout(toLayout(described))),
    problems: [...problems, ...additional.problems, ...marks.problems],
    report: {
      found: matches.map((match) => ({ ...match, table: realName(match.table) })),
      absentModels: described.filter(({ table }) => !table).map(({ model }) => model),
      absentColumns: present.flatMap(({ model, fields }) =>
        fields.filter(({ column }) => !column).map(({ name }) => `${model}.${name}`),
      ),
      unreadTables,
      unreadColumns: matches.flatMap((match) => describeUnread(match, known)),
      additionalFields: models.flatMap((model) =>
        added(model).map(({ field }) => `${model}.${field.name}`),
      ),
      absentBy: [...marks.columns].map(([model, { name }]) => `${model}.${name}`),
      leftOutColumns: matches.flatMap((match) => {
        const shown = added(match.model).map(({ column }) => realName(column))
        const mark = marks.columns.get(match.model)
        return leftOut(match, mark ? [...shown, mark.name] : shown, known).map(
          (column) => `${match.model}.${column}`,
        )
      }),
      ignoredTables: datamodel.models
        .filter((table) => !matches.some((match) => match.table === table))
        .map(realName),
    },
  }
}

/** Foreign keys lead from integer to bigint and back, which Prisma does not allow; here the keys of both are integers. */
function withoutWidths(schema: string): string {
  const keys = new Set(
    [...schema.matchAll(/(?:fields|references): \[([^\]]+)\]/g)].flatMap(([, names = '']) =>
      names.split(', '),
    ),
  )
  return schema.replaceAll(/^ {2}(\w+) +BigInt\b/gm, (line, name: string) =>
    keys.has(name) ? line.replace('BigInt', 'Int') : line,
  )
}

interface Described {
  readonly model: Model
  /** Missing when the database has none. */
  readonly table: Found | undefined
  readonly fields: readonly Field[]
  /** Of the application's own. */
  readonly additional: readonly AdditionalColumn[]
  readonly mark: Column | undefined
  /** Of a session's token, or a key's hash. */
  readonly tokenColumn: string | undefined
  readonly authoritative: boolean | undefined
}

function toLayout(described: readonly Described[]): Layout {
  return Object.fromEntries(
    described.map((each) => [each.model, each.table ? toTable(each, each.table) : null]),
  ) as unknown as Layout
}

function toTable(
  { model, fields, additional, mark, tokenColumn, authoritative }: Described,
  table: Found,
): Table {
  const columns = fields.flatMap(({ name, type, column }): [string, Column][] => {
    if (!column) return []
    // No view says that a column of it is never NULL, and of a list Prisma does not tell.
    const isRequired = !type.endsWith('?') && !column.isList && (column.isRequired || name === 'id')
    // What is of no type that is read is among the problems.
    const stored = storedField(name, column) ?? 'text'
    return [
      [name, { name: realName(column), type: stored, ...(isRequired ? { required: true } : {}) }],
    ]
  })
  const further = additional.map(({ field, column, stored }): [string, Column] => [
    field.name,
    { name: realName(column), type: stored, additional: field },
  ])
  return {
    name: realName(table),
    columns: Object.fromEntries([...columns, ...further, ...(mark ? [[MARK, mark]] : [])]),
    ...(tokenColumn === undefined || tokenColumn === tokenFields[model] ? {} : { tokenColumn }),
    ...(authoritative === undefined ? {} : { authoritative }),
  }
}

async function format(schema: string): Promise<string> {
  const [file] = await internals.formatSchema({ schemas: [['schema.prisma', schema]] })
  if (!file) throw new Error('Prisma formatted no schema.')
  return file[1]
}

/** Where there is none to be seen, it is called what Better Auth calls it unless told otherwise. */
function tokenColumn(match: Match, known: KnownNames): string | undefined {
  const field = tokenFields[match.model]
  if (field === undefined) return undefined
  const [column] = findColumns(match, field, known)
  return column ? realName(column) : (known[match.model]?.columns[field]?.name ?? field)
}
