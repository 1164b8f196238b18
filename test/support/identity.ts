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

/** A real Better Auth over a database of its own, whose secrets are recognisable. */
export async function startIdentity(
  settings: Omit<BetterAuthSettings, 'databaseUrl'> = {},
): Promise<Identity> {
  const database = await createDatabase()
  await plantSecrets(database.sql)
  const readOnlyUrl = await createReadOnlyRole(database.url, layout)
  const betterAuth = await startBetterAuth({ ...settings, databaseUrl: database.url })
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
      await asSuperuser(`drop role ${new URL(readOnlyUrl).username}`)
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
  const asPerson = new Headers({ authorization: `Bearer ${session}` })
  return {
    id: response.user.id,
    name,
    email,
    password,
    session,
    headers: asPerson,
    jwt: async () => (await auth.api.getToken({ headers: asPerson })).token,
  }
}

function slugOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}
