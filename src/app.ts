import type { RequestListener } from 'node:http'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { RequestAuthenticator } from './auth/authenticator.ts'
import { HeldKeys } from './auth/held-keys.ts'
import { JwtVerifier } from './auth/jwt.ts'
import { databaseKeySource, type KeySource, urlKeySource } from './auth/key-source.ts'
import { SessionVerifier } from './auth/session.ts'
import { type Config, ConfigError, reading } from './config.ts'
import type { Sources } from './graphql/context.ts'
import type { Features } from './graphql/features.ts'
import type { GraphiQLCaller } from './graphql/graphiql-callers.ts'
import { createHandler } from './graphql/handler.ts'
import { createSchema } from './graphql/schema.ts'
import { parseTrustedDocuments } from './graphql/trusted-documents.ts'
import { openStores, readLayout } from './identity.ts'
import { parseRoleDefinitions } from './permissions/definitions.ts'
import { printPermissionType } from './permissions/permission-type.ts'
import type { Database } from './repositories/client.ts'
import type { Layout } from './repositories/layout.ts'
import { type Grantee, ownerScript } from './repositories/owner-sql.ts'
import { PrismaSessionLookup } from './repositories/session-lookup.ts'
import { PrismaSigningKeyRepository } from './repositories/signing-key.ts'
import type { Tables } from './repositories/tables.ts'
import { createLogger, describeError, type Logger } from './telemetry.ts'

export type { Config } from './config.ts'
export { ConfigError, loadConfig, loadNames } from './config.ts'
export type { ErrorCode } from './domain/errors.ts'
export type { GraphiQLCaller } from './graphql/graphiql-callers.ts'
export { readLayout } from './identity.ts'
export { toAccessControl } from './permissions/definitions.ts'

export interface Gateway {
  /** For servers that speak the Fetch API. */
  readonly fetch: (request: Request) => Promise<Response>
  /** For `node:http` and the servers built on it. */
  readonly node: RequestListener
  /** Whether the database answers. */
  ready(): Promise<boolean>
  /** Lets go of connections; requests under way should have ended. */
  close(): Promise<void>
}

export interface GatewayParts {
  readonly log?: Logger
  /** Whom a reader of GraphiQL can be, by choosing. */
  readonly graphiqlCallers?: readonly GraphiQLCaller[]
}

/**
 * The composition root: every part of the gateway is made here, once, and handed what it needs.
 * @throws ConfigError when a file does not say what it should, or when sessions are to be credentials and this database
 * has none.
 */
export function createGateway(config: Config, parts: GatewayParts = {}): Gateway {
  const log = parts.log ?? createLogger(config.logLevel)
  const report = (what: string) => (error: unknown) =>
    log.warn({ error: describeError(error) }, what)

  const layout = readLayout(config.database)
  const schema = createSchema(featuresOf(layout))
  const { trustedDocuments: documents } = config.http
  const trustedDocuments =
    documents && reading('TRUSTED_DOCUMENTS_FILE', () => parseTrustedDocuments(documents, schema))
  const { database, tables, ...identity } = openStores(config, layout, log)
  const sessions = createSessions(config, database, tables, log)
  const sources: Sources = {
    ...identity,
    platformAdminRoles: config.platformAdminRoles,
    creatorRole: config.permissions.creatorRole,
  }
  const handler = createHandler({
    schema,
    sources,
    authenticator: new RequestAuthenticator(
      createJwtVerifier(config, database, tables, report),
      sessions,
      config.http.corsOrigins,
    ),
    ready: identity.ready,
    onRequest: (request) => log.info(request, 'request'),
    onUnexpected: (error) => log.error({ error: describeError(error) }, 'unexpected error'),
    graphiql:
      config.http.graphiql && !trustedDocuments ? { callers: parts.graphiqlCallers ?? [] } : null,
    introspection: config.http.introspection,
    corsOrigins: config.http.corsOrigins,
    batchLimit: config.http.batchLimit,
    trustedDocuments,
    writeTo: config.betterAuthUrl?.href ?? null,
  })
  return {
    fetch: async (request) => handler.fetch(request),
    node: handler,
    ready: identity.ready,
    close: async () => {
      await handler.dispose()
      await identity.close()
    },
  }
}

/** The graph of the introspected database in GraphQL's schema language, sorted. */
export function printGraph(layout: Layout): string {
  return `${printSchema(lexicographicSortSchema(createSchema(featuresOf(layout))))}\n`
}

/**
 * TypeScript that declares the permissions of an access control file.
 * @throws Error when it does not say what roles may do.
 */
export function printPermissions(accessControl: unknown): string {
  return printPermissionType(parseRoleDefinitions(accessControl))
}

/** The SQL with which a database's owner lets the gateway's role read what it reads, for the introspected database. */
export function printOwnerSql(layout: Layout, grantee: Grantee): string {
  return ownerScript(layout, grantee)
}

function createJwtVerifier(
  { auth, service }: Config,
  database: Database,
  tables: Tables,
  report: (what: string) => (error: unknown) => void,
) {
  const keys = (source: KeySource, whose: string) =>
    new HeldKeys(source, report(`The signing keys of ${whose} cannot be read.`)).getKey
  const userKeys =
    auth.jwks === 'database'
      ? databaseKeySource(new PrismaSigningKeyRepository(database, tables))
      : urlKeySource(auth.jwks)
  return new JwtVerifier({
    users: {
      issuer: auth.issuer,
      audience: auth.audience,
      getKey: keys(userKeys, 'Better Auth'),
    },
    services: service && {
      issuer: service.issuer,
      audience: service.audience,
      getKey: keys(urlKeySource(service.jwksUrl), 'services'),
    },
    algorithms: auth.algorithms,
  })
}

const NO_SESSIONS =
  'AUTH_SESSIONS: this database has no table of sessions: set it off, or set session.storeSessionInDatabase in Better Auth and run introspect'
const NO_SESSION_FUNCTION =
  'Sessions cannot be looked up: the owner of the database must run the SQL that the command doctor prints.'

function createSessions(
  { auth, database: { schema } }: Config,
  database: Database,
  tables: Tables,
  log: Logger,
): SessionVerifier | null {
  if (!auth.sessions) return null
  if (!tables.has('Session')) throw new ConfigError(NO_SESSIONS)
  const lookup = new PrismaSessionLookup(database, schema, (error) =>
    log.error({ error: describeError(error) }, NO_SESSION_FUNCTION),
  )
  // A token that nobody has, so that a missing function is said at start and not only with the first session.
  void lookup.findUserId('').catch(() => {})
  return new SessionVerifier({ ...auth.sessions, lookup })
}

function featuresOf(tables: Layout): Features {
  return {
    organizations: tables.Organization !== null && tables.Member !== null,
    invitations: tables.Invitation !== null,
    teams: tables.Team !== null && tables.TeamMember !== null,
    accounts: tables.Account !== null,
    sessions: tables.Session !== null,
    userFields: new Set(Object.keys(tables.User?.columns ?? {})),
  }
}
