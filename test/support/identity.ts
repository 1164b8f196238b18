import { asRoles } from '../../src/demo/access-control.ts'
import {
  type BetterAuthServer,
  type BetterAuthSettings,
  startBetterAuth,
} from '../../src/demo/better-auth.ts'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { asSuperuser, createDatabase, type Database } from './database.ts'
import { layout } from './layout.ts'
import { plantSecrets } from './planted.ts'

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly password: string
  /** A signed session token, good as `Authorization: Bearer` at Better Auth. */
  readonly session: string
  /** To act as this person through `auth.api`. */
  readonly headers: Headers
  /** A new JWT of Better Auth. */
  jwt(): Promise<string>
}

export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
}

export interface Identity {
  readonly database: Database
  readonly ownerUrl: string
  /** As a role with grants on what the gateway reads alone. */
  readonly readOnlyUrl: string
  readonly betterAuth: BetterAuthServer
  /** The address is made from the name, so a name can be used once. */
  signUp(name: string): Promise<Person>
  createOrganization(
    owner: Person,
    name: string,
    metadata?: Record<string, unknown>,
  ): Promise<Organization>
  /** Without an invitation. Answers the id of the member row. */
  addMember(organization: Organization, person: Person, ...roles: string[]): Promise<string>
  sql: Database['sql']
  stop(): Promise<void>
}

/** A real Better Auth over a database of its own in which nobody is yet, and whose secrets are recognisable. */
export async function startIdentity(
  settings: Omit<BetterAuthSettings, 'databaseUrl'> = {},
): Promise<Identity> {
  const database = await createDatabase()
  await plantSecrets(database.sql)
  const readOnlyUrl = await createReadOnlyRole(database.url, layout)
  const identity = await identityOver(database, readOnlyUrl, settings)
  return {
    ...identity,
    async stop() {
      await identity.stop()
      await asSuperuser(`drop role ${new URL(readOnlyUrl).username}`)
    },
  }
}

/** Better Auth over a database with its tables, to which a role has been given that the gateway connects as. */
export async function identityOver(
  database: Database,
  readOnlyUrl: string,
  settings: Omit<BetterAuthSettings, 'databaseUrl'> = {},
): Promise<Identity> {
  const betterAuth = await startBetterAuth({ ...settings, databaseUrl: database.url })
  return identityOf(database, readOnlyUrl, betterAuth)
}

/** A Better Auth that is there already. */
export function identityOf(
  database: Database,
  readOnlyUrl: string,
  betterAuth: BetterAuthServer,
): Identity {
  const { api } = betterAuth.auth
  return {
    database,
    ownerUrl: database.url,
    readOnlyUrl,
    betterAuth,
    sql: database.sql,
    signUp: (name) => signUp(betterAuth, name),
    async createOrganization(owner, name, metadata) {
      const body = { name, slug: slugOf(name), ...(metadata && { metadata }) }
      const { id, slug } = await api.createOrganization({ body, headers: owner.headers })
      return { id, name, slug }
    },
    async addMember({ id: organizationId }, { id: userId }, ...roles) {
      const role = asRoles(roles.length === 0 ? ['member'] : roles)
      const member = await api.addMember({ body: { organizationId, userId, role } })
      return member.id
    },
    async stop() {
      await betterAuth.stop()
      await database.drop()
    },
  }
}

async function signUp({ auth }: BetterAuthServer, name: string): Promise<Person> {
  const email = `${slugOf(name)}@example.com`
  const password = 'a long password'
  const { response, headers } = await auth.api.signUpEmail({
    body: { name, email, password },
    returnHeaders: true,
  })
  const session = headers.get('set-auth-token') ?? ''
  return toPerson({ auth }, { id: response.user.id, name, email, password, session })
}

/** Somebody who has signed up, as they act at a Better Auth that has them and the secret they signed up under. */
export function toPerson(
  { auth }: Pick<BetterAuthServer, 'auth'>,
  account: Omit<Person, 'headers' | 'jwt'>,
): Person {
  const headers = new Headers({ authorization: `Bearer ${account.session}` })
  return { ...account, headers, jwt: async () => (await auth.api.getToken({ headers })).token }
}

function slugOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}
