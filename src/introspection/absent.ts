import { z } from 'zod'
import { MARK } from '../layout/absent.ts'
import type { Column as LayoutColumn, StoredType } from '../layout/layout.ts'
import { storedType, typeName } from './columns.ts'
import { bearing } from './known-names.ts'
import { isColumn, isSecret, realName } from './names.ts'
import type { Match } from './tables.ts'

/** Tables whose rows may be marked as absent. */
const models = ['User', 'Member'] as const

const rule = z.strictObject({
  column: z.string().min(1),
  values: z
    .array(z.union([z.string(), z.boolean(), z.number()]))
    .min(1)
    .optional(),
})

/** By which column, and at which of its values, rows count as absent; without values: at any but NULL. */
export const absentRules = z.strictObject({ User: rule.optional(), Member: rule.optional() })
export type AbsentRules = z.infer<typeof absentRules>

export interface Marks {
  readonly columns: ReadonlyMap<string, LayoutColumn>
  /** Whole sentences. */
  readonly problems: readonly string[]
}

/** Finds the columns that the rules speak of. */
export function matchAbsent(rules: AbsentRules, matches: readonly Match[]): Marks {
  const columns = new Map<string, LayoutColumn>()
  const problems: string[] = []
  for (const model of models) {
    const asked = rules[model]
    if (!asked) continue
    const match = matches.find((it) => it.model === model)
    const found = match ? find(asked, match) : 'the database has no such table.'
    if (typeof found === 'string') problems.push(`${model}, ${MARK}: ${found}`)
    else columns.set(model, found)
  }
  return { columns, problems }
}

function find({ column: name, values }: z.infer<typeof rule>, { table }: Match) {
  const [column] = bearing(table.fields.filter(isColumn), { name, source: 'overrides' })
  if (!column)
    return `the table "${realName(table)}" has no column "${name}" that this role may SELECT.`
  const where = `the column "${realName(column)}" of the table "${realName(table)}"`
  if (isSecret(realName(column))) return `${where} is a secret, and never read.`
  const type = storedType(column)
  if (type === null) return `${where} is of Prisma type ${typeName(column)}, which is not read.`
  if (values && !isComparable(type, values))
    return `${where} is of type ${type}, and is not compared with ${JSON.stringify(values)}.`
  return { name: realName(column), type, absentWhen: values?.map(String) ?? null }
}

/** Instants and lists are asked for NULL alone. */
function isComparable(type: StoredType, values: readonly unknown[]): boolean {
  const all = (kind: string) => values.every((value) => typeof value === kind)
  if (type === 'boolean') return all('boolean')
  if (type === 'number') return all('number')
  return ['text', 'citext', 'enum', 'uuid'].includes(type) && all('string')
}
