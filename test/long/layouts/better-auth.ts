import type { BetterAuthOptions, BetterAuthPlugin } from 'better-auth'
import { accessControl, statements } from '../../../src/demo/access-control.ts'
import type { Auth } from '../../../src/demo/better-auth.ts'
import { installed, type Library } from './library.ts'

/** What Better Auth is told to call its tables and columns, by its own names of them. */
export interface Naming {
  table(model: string): string
  column(model: string, field: string): string
}

export interface Configuration {
  readonly naming: Naming
  readonly database: BetterAuthOptions['database']
  /** With organizations, teams and roles in the database. */
  readonly organizations: boolean
  /** Organizations without teams and roles in the database. */
  readonly plain?: boolean
  readonly generateId?: (() => string) | 'uuid' | 'serial' | undefined
  /** The version of Better Auth (the one that this project installs). */
  readonly library?: Library | undefined
  readonly plugins?: readonly BetterAuthPlugin[]
}

export const origin = 'http://127.0.0.1:3999'
export const secret = 'a secret of at least thirty-two characters'

/** The configuration that makes Better Auth use these names. */
export function configure(settings: Configuration): BetterAuthOptions {
  const { naming, database, organizations, generateId, library = installed } = settings
  const schemas = pluginSchemas(naming, library)
  const tables = coreTables(naming, library)
  const plugins = Object.entries(pluginsOf(library, settings.plain))
    .filter(([name]) => organizations || name !== 'organization')
    .map(([name, create]) => create(schemas[name]))
  return {
    baseURL: origin,
    secret,
    database,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { level: 'error' },
    emailAndPassword: { enabled: true },
    ...tables,
    user: { ...tables.user, deleteUser: { enabled: true } },
    advanced: { database: { ...(generateId && { generateId }) } },
    plugins: [...plugins, library.plugins.bearer(), ...(settings.plugins ?? [])],
  }
}

/** With the operations of all plug-ins in its type, also when it has not all. */
export function createAuth(settings: Configuration): Auth {
  const { betterAuth } = settings.library ?? installed
  return betterAuth(configure(settings)) as unknown as Auth
}

/** As `auth migrate` makes the tables. */
export async function migrate(settings: Configuration): Promise<void> {
  const { getMigrations } = settings.library ?? installed
  const { runMigrations } = await getMigrations(configure(settings))
  await runMigrations()
}

type CreatePlugin = (schema?: object) => BetterAuthPlugin

function pluginsOf(
  { plugins, createAccessControl }: Library,
  plain = false,
): Readonly<Record<string, CreatePlugin>> {
  const { organization, admin, jwt, username, phoneNumber, twoFactor, anonymous } = plugins
  const ac = createAccessControl(statements.statements)
  const roles = Object.fromEntries(
    Object.entries(accessControl.roles).map(([name, granted]) => [name, ac.newRole(granted)]),
  )
  return {
    organization: (schema = {}) =>
      organization({
        ac,
        roles,
        teams: { enabled: !plain },
        dynamicAccessControl: { enabled: !plain },
        schema,
      }),
    admin: (schema = {}) => admin({ schema }),
    jwt: (schema = {}) => jwt({ schema }),
    username: (schema = {}) => username({ schema }),
    phoneNumber: (schema = {}) => phoneNumber({ sendOTP: () => {}, schema }),
    twoFactor: (schema = {}) => twoFactor({ schema }),
    anonymous: (schema = {}) => anonymous({ schema }),
  }
}

/** The options of Better Auth that rename its own tables. */
export function coreTables(naming: Naming, { getAuthTables }: Library = installed) {
  const options = (model: 'user' | 'session' | 'account' | 'verification') => ({
    modelName: naming.table(model),
    fields: renamed(naming, model, Object.keys(getAuthTables({})[model]?.fields ?? {})),
  })
  return {
    user: options('user'),
    session: options('session'),
    account: options('account'),
    verification: options('verification'),
  }
}

/** The option `schema` of each plug-in. */
export function pluginSchemas(
  naming: Naming,
  library: Library = installed,
): Readonly<Record<string, object>> {
  return Object.fromEntries(
    Object.entries(pluginsOf(library)).map(([name, create]) => [name, schemaOf(create(), naming)]),
  )
}

/** The names of a plug-in's tables and of what it adds to those of others. */
function schemaOf({ schema = {} }: BetterAuthPlugin, naming: Naming): object {
  return Object.fromEntries(
    Object.entries(schema).map(([model, { fields }]) => {
      const own = !['user', 'session'].includes(model)
      const names = renamed(naming, model, Object.keys(fields))
      return [model, { fields: names, ...(own && { modelName: naming.table(model) }) }]
    }),
  )
}

function renamed(naming: Naming, model: string, fields: readonly string[]) {
  return Object.fromEntries(fields.map((field) => [field, naming.column(model, field)]))
}
