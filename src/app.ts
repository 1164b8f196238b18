import type { RequestListener } from 'node:http'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { RequestAuthenticator } from './auth/authenticator.ts'
import { HeldKeys } from './auth/held-keys.ts'
import { JwtVerifier } from './auth/jwt.ts'
import { databaseKeySource, type KeySource, urlKeySource } from './auth/key-source.ts'
import { SessionVerifier } from './auth/session.ts'
import { type Config, ConfigError } from './config.ts'
import type { InvalidationSource, InvalidationTarget } from './domain/invalidation.ts'
import type { Sources } from './graphql/context.ts'
import type { Features } from './graphql/features.ts'
import { createHandler } from './graphql/handler.ts'
import { createSchema } from './graphql/schema.ts'
import type { PermissionCache } from './permissions/cache.ts'
import {
  defaultRoleDefinitions,
  parseRoleDefinitions,
  type RoleDefinitions,
  versionOf,
} from './permissions/definitions.ts'
import { MemoryPermissionCache } from './permissions/memory-cache.ts'
import { PendingTargets } from './permissions/pending-targets.ts'
import { RedisAnnouncements } from './permissions/redis-announcements.ts'
import { RedisPermissionCache } from './permissions/redis-cache.ts'
import { createRedis } from './permissions/redis-client.ts'
import { CachingPermissionService } from './permissions/service.ts'
import { Trust } from './permissions/trust.ts'
import { TrustedCache } from './permissions/trusted-cache.ts'
import { PrismaAccountRepository } from './repositories/account.ts'
import { type Database, openDatabase } from './repositories/client.ts'
import { type DriftWatch, watchDrift } from './repositories/drift-watch.ts'
import { PrismaInvitationRepository } from './repositories/invitation.ts'
import type { Layout } from './repositories/layout.ts'
import { PrismaMemberRepository } from './repositories/member.ts'
import { PrismaOrganizationRepository } from './repositories/organization.ts'
import { type Grantee, ownerScript } from './repositories/owner-sql.ts'
import { PostgresNotifications } from './repositories/postgres-notifications.ts'
import { PrismaRoleRepository } from './repositories/role.ts'
import { parseLayout } from './repositories/schema-file.ts'
import { PrismaSessionRepository } from './repositories/session.ts'
import { PrismaSessionLookup } from './repositories/session-lookup.ts'
import { PrismaSigningKeyRepository } from './repositories/signing-key.ts'
import { Tables } from './repositories/tables.ts'
import { PrismaTeamRepository } from './repositories/team.ts'
import { describeUnreachable } from './repositories/unreachable.ts'
import { PrismaUserRepository } from './repositories/user.ts'
import { PrismaVisibilityRepository } from './repositories/visibility.ts'
import { createLogger, describeError, type Logger } from './telemetry.ts'

export type { Config } from './config.ts'
export { loadConfig, loadNames } from './config.ts'
export { toAccessControl } from './permissions/definitions.ts'

export interface Gateway {
  /** For servers that speak the Fetch API. */
  readonly fetch: (request: Request) => Promise<Response>
  /** For `node:http` and the servers built on it. */
  readonly node: RequestListener
  /** Whether the database answers and is as the layout says; a change shows within five seconds. */
  ready(): Promise<boolean>
  /**
   * Asks the database whether it is as the layout says. A database that does not answer is no reason to give up.
   * @throws Error in one sentence that says what differs and which command helps.
   */
  verify(): Promise<void>
  /** Lets go of connections; requests under way should have ended. */
  close(): Promise<void>
}

export interface GatewayParts {
  readonly log?: Logger
  /** What GraphiQL sends until its reader changes it. */
  readonly graphiqlHeaders?: Readonly<Record<string, string>>
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

  const definitions = readDefinitions(config)
  const layout = readLayout(config.database)
  const schema = createSchema(featuresOf(layout))
  const database = openDatabase(config.database)
  const tables = new Tables(layout, config.database.schema)
  const sessions = createSessions(config, database, tables, log)
  const trust = new Trust({ continuous: config.permissions.events === 'postgres' })
  const cache = new TrustedCache(
    createPermissionCache(config, definitions, report('Redis is in trouble.')),
    trust,
  )
  const permissions = new CachingPermissionService({
    roles: new PrismaRoleRepository(database, tables),
    cache,
    definitions,
    dynamic: config.permissions.dynamic,
  })
  const events = listenForChanges(config, permissions, trust, report)
  const sources: Sources = {
    users: new PrismaUserRepository(database, tables),
    accounts: new PrismaAccountRepository(database),
    sessions: new PrismaSessionRepository(database, tables),
    organizations: new PrismaOrganizationRepository(database, tables),
    members: new PrismaMemberRepository(database, tables),
    invitations: new PrismaInvitationRepository(database, tables),
    teams: new PrismaTeamRepository(database, tables),
    visibility: new PrismaVisibilityRepository(database, tables),
    permissions,
    platformAdminRoles: config.platformAdminRoles,
    creatorRole: config.permissions.creatorRole,
  }
  // Nothing waits for a connection to Redis, so it is opened before the first question.
  void cache.ready()
  const drift = watchDrift(database, layout, config.database.schema, (problem) =>
    problem === null ? log.info('The database is as expected again.') : log.error(problem),
  )
  const ready = async () => (await answers(database)) && (await drift.isRight())
  const handler = createHandler({
    schema,
    sources,
    authenticator: new RequestAuthenticator(
      createJwtVerifier(config, database, tables, report),
      sessions,
    ),
    ready,
    onRequest: (request) => log.info(request, 'request'),
    onUnexpected: (error) => log.error({ error: describeError(error) }, 'unexpected error'),
    graphiql: config.http.graphiql ? { headers: parts.graphiqlHeaders ?? {} } : null,
    introspection: config.http.introspection,
    corsOrigins: config.http.corsOrigins,
    writeTo: config.betterAuthUrl?.href ?? null,
  })
  return {
    fetch: async (request) => handler.fetch(request),
    node: handler,
    ready,
    verify: () => verify(drift, config, log),
    close: async () => {
      await handler.dispose()
      await events.close()
      await cache.close()
      await database.close()
    },
  }
}

function readDefinitions({ permissions: { accessControl } }: Config): RoleDefinitions {
  if (accessControl === null) return defaultRoleDefinitions
  try {
    return parseRoleDefinitions(accessControl)
  } catch (error) {
    throw new ConfigError(`ACCESS_CONTROL_FILE: ${error instanceof Error ? error.message : error}`)
  }
}

/** @throws ConfigError when the schema file is not a canonical schema.prisma. */
export function readLayout({ prismaSchema }: Pick<Config['database'], 'prismaSchema'>): Layout {
  try {
    return parseLayout(prismaSchema)
  } catch (error) {
    throw new ConfigError(`PRISMA_SCHEMA_FILE: ${error instanceof Error ? error.message : error}`)
  }
}

/** The graph of the introspected database in GraphQL's schema language, sorted. */
export function printGraph(layout: Layout): string {
  return `${printSchema(lexicographicSortSchema(createSchema(featuresOf(layout))))}\n`
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

/** Grants kept in this process when there is no Redis. */
const MOST_CACHED_GRANTS = 100_000

function createPermissionCache(
  { redis, permissions: { dynamic, ttlSeconds } }: Config,
  definitions: RoleDefinitions,
  onTrouble: (error: Error) => void,
): PermissionCache {
  if (!redis) return new MemoryPermissionCache({ ttlSeconds, maxEntries: MOST_CACHED_GRANTS })
  const { timeoutMs, keyPrefix: prefix } = redis
  return new RedisPermissionCache(createRedis(redis.url, { timeoutMs, onTrouble }), {
    prefix,
    ttlSeconds,
    timeoutMs,
    version: versionOf(definitions, dynamic),
    onTrouble,
  })
}

/** Changes are passed on no faster than this, each once however often it is told. */
const COALESCE_MS = 20
const RETRY_MS = 1000
const MOST_WAITING = 10_000

function listenForChanges(
  { database, redis, permissions: { events } }: Config,
  permissions: CachingPermissionService,
  trust: Trust,
  report: (what: string) => (error: unknown) => void,
): InvalidationSource {
  const pending = new PendingTargets({
    deliver: async (targets) => {
      try {
        await Promise.all(targets.map((target) => permissions.invalidate(target)))
        trust.settled(true)
      } catch (error) {
        trust.settled(false)
        throw error
      }
    },
    intervalMs: COALESCE_MS,
    retryMs: RETRY_MS,
    most: MOST_WAITING,
    onTrouble: report('The cache cannot be told of changes.'),
    onDropped: () => notifications?.reset(),
  })
  const changed = (target: InvalidationTarget) => pending.add(target)
  const onTrouble = report('News of changes cannot be received.')
  const notifications =
    events === 'postgres'
      ? new PostgresNotifications({
          url: database.listenUrl,
          listener: { changed, heard: (news) => trust.heard(news), lost: () => trust.lost() },
          onTrouble,
        })
      : null
  const announcements =
    events === 'redis' && redis
      ? new RedisAnnouncements(createRedis(redis.url, { timeoutMs: redis.timeoutMs, onTrouble }), {
          prefix: redis.keyPrefix,
          listener: { changed },
        })
      : null
  return {
    close: async () => {
      await (notifications ?? announcements)?.close()
      pending.close()
    },
  }
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

async function verify(drift: DriftWatch, { database: { url } }: Config, log: Logger) {
  const problem = await drift.findProblem().catch((error: unknown) => {
    log.warn({ error: describeError(error) }, describeUnreachable(error, url))
    return null
  })
  if (problem !== null) throw new Error(problem)
}

async function answers(database: Database): Promise<boolean> {
  try {
    await database.ping()
    return true
  } catch {
    return false
  }
}
