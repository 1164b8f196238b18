import { z } from 'zod'
import { oneLine } from '../application/failure.ts'
import { type Exports, readModule } from '../application/read-module.ts'
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
    session: z
      .looseObject({
        storeSessionInDatabase: z.boolean().optional(),
        preserveSessionInDatabase: z.boolean().optional(),
      })
      .optional(),
  }),
})
type AuthTable = z.infer<typeof tables>[string]

/**
 * Loads the module that makes Better Auth and asks it, in its own version, what it calls everything. What it has no
 * table or field for is not there, whatever the database holds.
 * @throws Error when the module exports no Better Auth, as `auth` or default.
 */
export function readAuthModule(path: string): Promise<KnownNames> {
  return readModule(path, INSTEAD, async (exports) => toKnownNames(await askContext(path, exports)))
}

const INSTEAD =
  'give --auth a small file that exports auth without it, or tell the names with --overrides alone'

async function askContext(path: string, exports: Exports): Promise<z.infer<typeof context>> {
  const exported: unknown = exports.auth ?? exports.default
  const { data } = context.safeParse(await start(exported).catch(refuse))
  if (data) return data
  if (typeof exported === 'function')
    throw new Error(
      `${path} exports a function, not Better Auth: give --auth a small file that exports as auth what the function returns.`,
    )
  throw new Error(`${path} exports no Better Auth, neither as auth nor by default.`)

  function refuse(error: unknown): never {
    throw new Error(
      `Better Auth of ${path} does not start: it throws ${oneLine(error)}; ${INSTEAD}.`,
    )
  }
}

/** What is exported may be a promise of Better Auth, and its context is one. */
async function start(exported: unknown): Promise<unknown> {
  return ((await exported) as { readonly $context?: unknown } | undefined)?.$context
}

function toKnownNames({ tables, adapter, options }: z.infer<typeof context>): KnownNames {
  const plural = adapter.options?.adapterConfig?.usePlural === true
  const { storeSessionInDatabase, preserveSessionInDatabase } = options.session ?? {}
  const secondary = Boolean(options.secondaryStorage)
  // It does not ask the table then for what its secondary storage has lost.
  const authoritative = !(secondary && preserveSessionInDatabase)
  return Object.fromEntries(
    models.map((model) => {
      const key = `${model.charAt(0).toLowerCase()}${model.slice(1)}`
      const isSession = model === 'Session'
      const absent = isSession && secondary && !storeSessionInDatabase
      const known = toKnownTable(model, absent ? undefined : tables[key], plural)
      return [model, isSession ? { ...known, authoritative } : known]
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
