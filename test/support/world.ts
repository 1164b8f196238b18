import { afterAll, inject } from 'vitest'
import type { BetterAuthSettings } from '../../src/demo/better-auth.ts'
import type { AuditSink } from '../../src/gateway.ts'
import type { Cast } from './cast.ts'
import { asSuperuser, createDatabase, type Database } from './database.ts'
import { type GatewayUnderTest, gatewayFor } from './gateway.ts'
import { type Identity, identityOver, toPerson } from './identity.ts'
import { type ServiceIssuer, startServiceIssuer } from './tokens.ts'

export interface World extends Cast {
  readonly identity: Identity
  readonly sql: Identity['sql']
  readonly services: ServiceIssuer
  /** What a gateway of this world is told, whichever way it is started. */
  readonly environment: Readonly<Record<string, string>>
  /** With the variables that the world was asked for; made when it is first taken. */
  readonly gateway: GatewayUnderTest
  /** Another one, with these variables beside those that every gateway of the world has. */
  gatewayWith(environment: Readonly<Record<string, string>>, audit?: AuditSink): GatewayUnderTest
}

export interface WorldOptions {
  /** Further variables of the gateway. */
  readonly environment?: Readonly<Record<string, string>>
  /** A database for this file alone, to change. Without, it is shared with other files, and PostgreSQL lets nobody write. */
  readonly own?: boolean
  /** Settings of the file's own Better Auth. */
  readonly betterAuth?: Omit<BetterAuthSettings, 'databaseUrl' | 'secret'>
}

/**
 * What nearly every test file begins with: `const { gateway, ada, acme } = await world()` is a real Better Auth over a
 * PostgreSQL database in which people have signed up (cast.ts says who they are), an issuer of services' tokens, and a
 * gateway. All of it ends with the file.
 *
 * How the tests are laid out:
 * - `support/` is what tests are built from. `contract/` holds the suites that every adapter of a port has to pass.
 * - `graph/` has a file for each type of the graph, and themes that concern all of them: consistency, statements,
 *   connections. `graph/matrix.test.ts` is the oracle of who sees what; what it asks is asked nowhere else.
 * - The other folders are the rooms of `src/`, with `attacks/` and `deploy/`, which is about the folder of that name, beside them.
 * - `long/` is `npm run test:long` and `bench/` is `npm run bench`; `federation/`, `bff/`, `hosting/`,
 *   `oauth/`, `plugins/`, `clients/`, `versions/` and `adapters/` have packages of their own.
 * - A worker runs many files in one process, so a file puts back what it changes there: timers, mocks, variables.
 */
export async function world({
  environment: further = {},
  own = false,
  betterAuth,
}: WorldOptions = {}): Promise<World> {
  const identity = await (own || betterAuth
    ? openIdentity(await createDatabase('cast'), betterAuth)
    : sharedIdentity())
  const services = await startServiceIssuer()
  const gateways: GatewayUnderTest[] = []
  const gatewayWith: World['gatewayWith'] = (variables, audit) => {
    const gateway = gatewayFor(identity, { ...services.environment, ...variables }, audit)
    gateways.push(gateway)
    return gateway
  }
  let gateway: GatewayUnderTest | undefined
  afterAll(async () => {
    for (const gateway of gateways) await gateway.close()
    await services.stop()
    if (identity !== (await shared)) await identity.stop()
  })
  return {
    ...castOf(identity),
    identity,
    sql: identity.sql,
    services,
    environment: {
      DATABASE_URL: identity.readOnlyUrl,
      AUTH_ISSUER: identity.betterAuth.issuer,
      ...services.environment,
      ...further,
    },
    get gateway() {
      gateway ??= gatewayWith(further)
      return gateway
    },
    gatewayWith,
  }
}

/** One for all files of a worker that change nothing; it ends with the worker. */
let shared: Promise<Identity> | undefined

async function sharedIdentity(): Promise<Identity> {
  shared ??= (async () => {
    const database = await createDatabase('cast')
    // It holds for sessions that begin after it, so it comes before the first.
    await asSuperuser(`alter database ${database.name} set default_transaction_read_only = on`)
    return openIdentity(database)
  })()
  return shared
}

async function openIdentity(
  database: Database,
  settings: WorldOptions['betterAuth'] = {},
): Promise<Identity> {
  const { readOnlyUrl, secret } = inject('cast')
  const url = Object.assign(new URL(readOnlyUrl), { pathname: database.name })
  return identityOver(database, url.href, { ...settings, secret })
}

function castOf({ betterAuth }: Identity): Cast {
  const { database: _, readOnlyUrl: __, secret: ___, acme, evil, ...accounts } = inject('cast')
  const { ada, bob, carol, eve, root, rita, ivy, ines } = accounts
  return {
    ada: toPerson(betterAuth, ada),
    bob: toPerson(betterAuth, bob),
    carol: toPerson(betterAuth, carol),
    eve: toPerson(betterAuth, eve),
    root: toPerson(betterAuth, root),
    rita: toPerson(betterAuth, rita),
    ivy: toPerson(betterAuth, ivy),
    ines: toPerson(betterAuth, ines),
    acme,
    evil,
  }
}
