import internals from '@prisma/internals'
import { type Model, models } from '../repositories/layout.ts'
import { checkColumns, hasIntegerIds, matchFields } from './columns.ts'
import { contract } from './contract.ts'
import { renderSchema } from './schema-text.ts'
import { type Match, matchTables, realName } from './tables.ts'

/** What introspection found, by canonical names and real table names. */
export interface Report {
  readonly found: readonly {
    readonly model: Model
    readonly table: string
    readonly recognisedBy: 'name' | 'columns'
  }[]
  readonly absentModels: readonly Model[]
  /** `Model.field`, of the models found. */
  readonly absentColumns: readonly string[]
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

/** Turns what the engine pulled from one database into the schema that all databases share but for the real names. */
export async function canonicalise(raw: string): Promise<Canonical> {
  const { datamodel } = await internals.getDMMF({ datamodel: raw })
  const { matches, problems } = matchTables(datamodel.models)
  const described = models.map((model) => {
    const match = matches.find((it) => it.model === model)
    return { model, table: match?.table, fields: matchFields(model, match?.table) }
  })
  const present = described.filter(({ table }) => table)
  return {
    schema: await renderSchema(described),
    problems: [...problems, ...checkTargets(matches), ...checkTypes(matches)],
    report: {
      found: matches.map((match) => ({ ...match, table: realName(match.table) })),
      absentModels: described.filter(({ table }) => !table).map(({ model }) => model),
      absentColumns: present.flatMap(({ model, fields }) =>
        fields.filter(({ column }) => !column).map(({ name }) => `${model}.${name}`),
      ),
      ignoredTables: datamodel.models
        .filter((table) => !matches.some((match) => match.table === table))
        .map(realName),
    },
  }
}

/** A model without the one it points to could be listed but not shown. */
function checkTargets(matches: readonly Match[]): readonly string[] {
  const found = new Set(matches.map(({ model }) => model))
  return matches.flatMap(({ model, table }) =>
    Object.values(contract[model].relations ?? {})
      .filter(({ to }) => !found.has(to))
      .map(
        ({ to }) =>
          `${model}: the table "${realName(table)}" points to ${to}, for which no table fits. Let this role SELECT from both or from neither.`,
      ),
  )
}

function checkTypes(matches: readonly Match[]): readonly string[] {
  const numbered = matches.filter(hasIntegerIds).map(({ table }) => `"${realName(table)}"`)
  if (numbered.length === 0) return matches.flatMap(checkColumns)
  return [
    `The ids of ${numbered.join(', ')} are integers, but the gateway reads text and UUID ids only. Set Better Auth's advanced.database.generateId to anything but "serial" and migrate the tables.`,
  ]
}
