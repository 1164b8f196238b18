import type { RequestListener } from 'node:http'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { RequestAuthenticator } from './auth/authenticator.ts'
import { HeldKeys } from './auth/held-keys.ts'
import { JwtVerifier } from './auth/jwt.ts'
import { databaseKeySource, type KeySource, urlKeySource } from './auth/key-source.ts'
import { SessionVerifier } from './auth/session.ts'
import { type Config, ConfigError, reading } from './config/config.ts'
import type { AdditionalField } from './domain/additional-field.ts'
import type { Sources } from './graph/context.ts'
import type { Features } from './graph/features.ts'
import { createSchema, createSubgraph } from './graph/schema.ts'
import { printStitching } from './graph/sdl/stitching.ts'
import { printSubgraph } from './graph/sdl/subgraph.ts'
import { clientAddressFinder } from './http/client-address.ts'
import { currentExchange, runShared } from './http/exchange.ts'
import type { GraphiQLCaller } from './http/graphiql-callers.ts'
import { observeRequests } from './http/observer.ts'
import { RateLimiter } from './http/rate-limiter.ts'
import { isWellFormed } from './http/request-target.ts'
import { createHandler } from './http/yoga.ts'
import { openStores, readLayout } from './identity.ts'
import type { Layout, Table } from './layout/layout.ts'
import { type Grantee, ownerScript } from './layout/owner-sql.ts'
import { operationNames, parseTrustedDocuments } from './operation/trusted.ts'
import { parseRoleDefinitions } from './permissions/definitions.ts'
import { printPermissionType } from './permissions/permission-type.ts'
import type { Database } from './postgres/client.ts'
import { PrismaSessionLookup } from './postgres/session-lookup.ts'
import { PrismaSigningKeyRepository } from './postgres/signing-key.ts'
import type { Tables } from './postgres/tables.ts'
import { createRedis } from './redis/client.ts'
import { createLogger, describeError, type Logger } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import { recordCall } from './telemetry/tracing.ts'

export type { Config } from './config/config.ts'
export { ConfigError, loadConfig, loadNames } from './config/config.ts'
export type { ErrorCode } from './domain/errors.ts'
export type { GraphiQLCaller } from './http/graphiql-callers.ts'
export { readLayout } from './identity.ts'
export { toAccessControl } from './permissions/definitions.ts'

export interface Gateway {
  /** For servers that speak the Fetch API. No connection is known here, so a rate limit counts all as one address. */
  readonly fetch: (request: Request) => Promise<Response>
  /** For `node:http` and the servers built on it. */
  readonly node: RequestListener
  /**
   * Whether the database answers and is as the layout says; a change shows within five seconds. The first time it is, what
   * requests read is read once beforehand.
   */
  ready(): Promise<boolean>
  /**
   * Asks the database whether it is as the layout says. A database that does not answer is no reason to give up.
   * @throws Error in one sentence that says what differs and which command helps.
   */
  verify(): Promise<void>
  /** What was counted; `null` unless METRICS_PORT is set. */
  readonly metrics: Metrics | null
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
  const schema = (config.federation ? createSubgraph : createSchema)(featuresOf(layout))
  const { trustedDocuments: documents } = config.http
  const trustedDocuments =
    documents && reading('TRUSTED_DOCUMENTS_FILE', () => parseTrustedDocuments(documents, schema))
  const names = operationNames(trustedDocuments)
  const requests = observeRequests(config.http, log, () => metrics)
  const { database, tables, ...identity } = openStores(config, layout, log, {
    signal: () => currentExchange()?.ending.signal,
    runShared,
    onStatement: ({ outcome, durationMs }) => {
      metrics?.statement(outcome, durationMs / 1000)
      const failed = outcome !== 'answered'
      recordCall({ system: 'postgresql', name: 'SELECT', durationMs, failed })
    },
    onPermissionReads: (hits, misses) => metrics?.permissionReads(hits, misses),
    onAttempt: (of, attempt) => {
      metrics?.redis(of, attempt.failed, attempt.durationMs / 1000)
      recordCall({ system: 'redis', name: of, ...attempt })
    },
    onJoined: (kind, count) => metrics?.coalesced(kind, count),
    onRest: (of, resting) => metrics?.breaker(of, resting),
  })
  const sessions = createSessions(config, database, tables, log)
  const sources: Sources = {
    ...identity,
    platformAdminRoles: config.platformAdminRoles,
    creatorRole: config.permissions.creatorRole,
  }
  const rateRedis = createRateRedis(config, report)
  const { ratePerMinute: perMinute } = config.limits
  const verifying = createJwtVerifier(config, database, tables, report)
  const metrics =
    config.http.metricsPort === null
      ? null
      : new Metrics({
          pool: () => database.poolUse(),
          underWay: () => requests.admission.underWay,
          keyAges: verifying.keyAges,
        })
  const handler = createHandler({
    schema,
    sources,
    authenticator: new RequestAuthenticator(verifying.verifier, sessions, config.http.corsOrigins),
    ready: identity.ready,
    request: requests.current,
    nameOf: (text) => names.get(text) ?? null,
    onUnexpected: (error) =>
      log.error(
        { requestId: requests.current.id(), error: describeError(error) },
        'unexpected error',
      ),
    graphiql:
      config.http.graphiql && !trustedDocuments ? { callers: parts.graphiqlCallers ?? [] } : null,
    introspection: config.http.introspection,
    limits: config.limits,
    rate:
      perMinute === null
        ? null
        : new RateLimiter({
            perMinute,
            redis: rateRedis,
            addressOf: clientAddressFinder(config.http.trustProxy),
          }),
    corsOrigins: config.http.corsOrigins,
    batchLimit: config.http.batchLimit,
    trustedDocuments,
    writeTo: config.betterAuthUrl?.href ?? null,
  })
  return {
    fetch: requests.exchanges.fetch(handler.fetch),
    node: requests.exchanges.node((request, response) =>
      isWellFormed(request.headers.host, request.url)
        ? handler.node(request, response)
        : response.writeHead(400, { 'content-type': 'application/json' }).end(MALFORMED),
    ),
    ready: identity.ready,
    verify: identity.verify,
    metrics,
    close: async () => {
      await handler.dispose()
      rateRedis?.client.disconnect()
      await identity.close()
    },
  }
}

const MALFORMED = JSON.stringify({
  errors: [{ message: 'The request names no valid target.', extensions: { code: 'BAD_REQUEST' } }],
})

/** What the graph is printed for: clients, a composer of Apollo Federation (with or without authorization), a stitcher. */
export type GraphForm = 'plain' | 'federation' | 'federation with authorization' | 'stitching'

/** The graph of the introspected database in GraphQL's schema language, sorted. */
export function printGraph(layout: Layout, form: GraphForm = 'plain'): string {
  const schema = createSchema(featuresOf(layout))
  if (form === 'plain') return `${printSchema(lexicographicSortSchema(schema))}\n`
  if (form === 'stitching') return printStitching(schema)
  return printSubgraph(schema, { authorization: form === 'federation with authorization' })
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
    new HeldKeys(() => runShared(source), report(`The signing keys of ${whose} cannot be read.`))
  const userKeys = keys(
    auth.jwks === 'database'
      ? databaseKeySource(new PrismaSigningKeyRepository(database, tables))
      : urlKeySource(auth.jwks),
    'Better Auth',
  )
  const serviceKeys = service && keys(urlKeySource(service.jwksUrl), 'services')
  const verifier = new JwtVerifier({
    users: { issuer: auth.issuer, audience: auth.audience, keys: userKeys },
    services: service &&
      serviceKeys && { issuer: service.issuer, audience: service.audience, keys: serviceKeys },
    algorithms: auth.algorithms,
  })
  const seconds = (keys: HeldKeys | null) => keys?.ageMs && keys.ageMs / 1000
  return {
    verifier,
    keyAges: () => ({ users: seconds(userKeys), services: seconds(serviceKeys) }),
  }
}

const NO_SESSIONS =
  'AUTH_SESSIONS: this database has no table of sessions: set it off, or set session.storeSessionInDatabase in Better Auth and run introspect'
const NO_SESSION_FUNCTION =
  'Sessions cannot be looked up: the owner of the database must run the SQL that the command doctor --sql prints.'

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

function createRateRedis(
  { redis, limits: { ratePerMinute } }: Config,
  report: (what: string) => (error: unknown) => void,
) {
  if (!redis || ratePerMinute === null) return null
  const { timeoutMs, keyPrefix } = redis
  const onTrouble = report('Redis is in trouble: requests are counted in this process.')
  const client = createRedis(redis.url, { timeoutMs, onTrouble })
  void client.connect().catch(() => {})
  return { client, keyPrefix }
}

function featuresOf(tables: Layout): Features {
  return {
    organizations: tables.Organization !== null && tables.Member !== null,
    invitations: tables.Invitation !== null,
    teams: tables.Team !== null && tables.TeamMember !== null,
    accounts: tables.Account !== null,
    sessions: tables.Session !== null,
    userFields: new Set(Object.keys(tables.User?.columns ?? {})),
    additional: {
      User: additionalFields(tables.User),
      Organization: additionalFields(tables.Organization),
      Member: additionalFields(tables.Member),
    },
  }
}

function additionalFields(table: Table | null): AdditionalField[] {
  return Object.values(table?.columns ?? {}).flatMap(({ additional }) => additional ?? [])
}
