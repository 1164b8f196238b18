import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { fieldsOf, type Model, models } from '../layout/contract.ts'
import type { KnownName, KnownNames, KnownTable } from './known-names.ts'

const tables = z.record(
  z.string(),
  z.looseObject({
    modelName: z.string(),
    fields: z.record(
      z.string(),
      z.looseObject({ fieldName: z.string().optional(), returned: z.boolean().optional() }),
    ),
  }),
)
const context = z.looseObject({
  tables,
  adapter: z.looseObject({
    options: z
      .looseObject({
        adapterConfig: z.looseObject({ usePlural: z.boolean().optional() }).optional(),
      })
      .optional(),
  }),
  options: z.looseObject({
    secondaryStorage: z.unknown().optional(),
    session: z.looseObject({ storeSessionInDatabase: z.boolean().optional() }).optional(),
  }),
})
type AuthTable = z.infer<typeof tables>[string]

/**
 * Imports the module that makes Better Auth and asks it, in its own version, what it calls everything. What it has no
 * table or field for is not there, whatever the database holds.
 * @throws Error when the module exports no Better Auth, as `auth` or default.
 */
export async function readAuthModule(path: string): Promise<KnownNames> {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  const auth = (module.auth ?? module.default) as { readonly $context?: unknown } | undefined
  const { data } = context.safeParse(await auth?.$context)
  if (!data) throw new Error(`${path} exports no Better Auth, neither as auth nor by default.`)
  const { tables, adapter, options } = data
  const plural = adapter.options?.adapterConfig?.usePlural === true
  const sessionless = Boolean(options.secondaryStorage) && !options.session?.storeSessionInDatabase
  return Object.fromEntries(
    models.map((model) => {
      const key = `${model.charAt(0).toLowerCase()}${model.slice(1)}`
      const absent = model === 'Session' && sessionless
      return [model, toKnownTable(model, absent ? undefined : tables[key], plural)]
    }),
  )
}

function toKnownTable(model: Model, table: AuthTable | undefined, plural: boolean): KnownTable {
  if (!table) return { table: called(null), columns: {} }
  const fields = Object.entries(table.fields)
  const missing = Object.keys(fieldsOf(model)).filter(
    (field) => field !== 'id' && !Object.hasOwn(table.fields, field),
  )
  return {
    table: called(plural ? `${table.modelName}s` : table.modelName),
    columns: Object.fromEntries([
      ...missing.map((field) => [field, called(null)]),
      ...fields.map(([field, { fieldName }]) => [field, called(fieldName || field)]),
    ]),
    hidden: fields.flatMap(([field, { returned }]) => (returned === false ? [field] : [])),
  }
}

function called(name: string | null): KnownName {
  return { name, source: 'auth' }
}
