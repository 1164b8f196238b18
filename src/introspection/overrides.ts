import { z } from 'zod'
import { fieldsOf, type Model, models } from '../layout/contract.ts'
import type { KnownName, KnownNames } from './known-names.ts'
import { readJson, refuse } from './read-json.ts'

const name = z.string().min(1).nullable()
const overrides = z.record(
  z.string(),
  z.strictObject({ table: name.optional(), columns: z.record(z.string(), name).optional() }),
)

/**
 * Names of tables and columns that nothing else tells: `{"User": {"table": "people", "columns": {"name": "full_name"}}}`,
 * null where there is none.
 * @throws Error naming the file and everything that is wrong with it.
 */
export async function readOverrides(path: string): Promise<KnownNames> {
  const told = await readJson(path, overrides)
  refuse(
    path,
    Object.entries(told).flatMap(([model, { columns = {} }]) => {
      if (!isModel(model))
        return `${model}: there is no such model. Models are ${models.join(', ')}.`
      const fields = namedFields(model)
      const unknown = Object.keys(columns).filter((field) => !fields.includes(field))
      return unknown.map(
        (field) => `${model}.${field}: there is no such field. Fields are ${fields.join(', ')}.`,
      )
    }),
  )
  return Object.fromEntries(
    Object.entries(told).map(([model, { table, columns = {} }]) => [
      model,
      {
        ...(table !== undefined && { table: overridden(table) }),
        columns: Object.fromEntries(
          Object.entries(columns).map(([field, column]) => [field, overridden(column)]),
        ),
      },
    ]),
  )
}

/** The column of session tokens is not in the contract, but the owner's function looks for it. */
function namedFields(model: Model): string[] {
  return [...Object.keys(fieldsOf(model)), ...(model === 'Session' ? ['token'] : [])]
}

function isModel(text: string): text is Model {
  return (models as readonly string[]).includes(text)
}

function overridden(name: string | null): KnownName {
  return { name, source: 'overrides' }
}
