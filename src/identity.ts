import { type Config, reading } from './config/config.ts'
import { readLayout } from './config/layout.ts'
import type { Askers } from './domain/askers.ts'
import type { NoticeListener } from './domain/changes.ts'
import type { PermissionService } from './domain/permission.ts'
import type { Repositories } from './domain/repositories.ts'
import type { SigningKeyRepository } from './domain/signing-key.ts'
import { featuresOf } from './layout/features.ts'
import type { Layout } from './layout/layout.ts'
import { createNews } from './news.ts'
import { createPermissions } from './permissions/create.ts'
import {
  defaultRoleDefinitions,
  parseRoleDefinitions,
  type RoleDefinitions,
} from './permissions/definitions.ts'
import { createAccountRepository } from './postgres/account.ts'
import { type Database, openDatabase } from './postgres/client.ts'
import type { Db } from './postgres/db.ts'
import { describeDrift, findDrift, watchDrift } from './postgres/drift.ts'
import { createInvitationRepository } from './postgres/invitation.ts'
import { createMemberRepository } from './postgres/member.ts'
import { createOrganizationRepository } from './postgres/organization.ts'
import { createPluginRepositories } from './postgres/plugins/repositories.ts'
import { createReadiness, type Readiness } from './postgres/readiness.ts'
import { createRoleRepository } from './postgres/role.ts'
import { createSessionRepository } from './postgres/session.ts'
import { createSigningKeyRepository } from './postgres/signing-key.ts'
import { Tables } from './postgres/tables.ts'
import { createTeamRepository } from './postgres/team.ts'
import { describeUnreachable } from './postgres/unreachable.ts'
import { createUserRepository } from './postgres/user.ts'
import { createVisibilityRepository } from './postgres/visibility.ts'
import { warmUp } from './postgres/warm-up.ts'
import { whyOf } from './redis/trouble.ts'
import { createLogger, describeError, type Logger } from './telemetry/log.ts'
import type { MetricsSources } from './telemetry/metrics.ts'
import { Telemetry } from './telemetry/telemetry.ts'

export type { Config } from './config/config.ts'
export { ConfigError, loadConfig } from './config/config.ts'
export type { Account, AccountRepository } from './domain/account.ts'
export { type ErrorCode, GatewayError } from './domain/errors.ts'
export type * from './domain/invitation.ts'
export type * from './domain/member.ts'
export type * from './domain/organization.ts'
export type * from './domain/page.ts'
export type * from './domain/permission.ts'
export type * from './domain/plugins.ts'
export type { Repositories } from './domain/repositories.ts'
export type * from './domain/session.ts'
export type * from './domain/team.ts'
export type * from './domain/user.ts'
export type * from './domain/visibility.ts'

export interface IdentityParts {
  readonly log?: Logger
}

/**
 * What the gateway reads from, for services in TypeScript that need no GraphQL. There are no doors here: whoever holds it
 * sees everything the gateway's role may read.
 * @throws ConfigError when a file does not say what it should.
 */
export function openIdentity(config: IdentityConfig, parts: IdentityParts = {}): Identity {
  const telemetry = new Telemetry(parts.log ?? createLogger(config.logLevel), { metrics: false })
  const { identity, start } = createStores(config, readLayout(config.database), telemetry)
  start()
  return identity
}

/** Of the configuration, what reading takes; with the issuer it shares cached permissions with gateways. */
export interface IdentityConfig
  extends Pick<Config, 'database' | 'redis' | 'permissions' | 'logLevel'> {
  readonly auth?: Pick<Config['auth'], 'issuer'> & Partial<Pick<Config['auth'], 'apiKeys'>>
  readonly limits?: Pick<Config['limits'], 'rows'>
}

export interface Identity extends Repositories, Pick<Readiness, 'ready' | 'verify'> {
  readonly permissions: PermissionService
  /** Lets go of connections; questions under way should have ended. */
  close(): Promise<void>
}

export interface Stores {
  readonly identity: Identity
  /** What the gateway itself reads beside. */
  readonly signingKeys: SigningKeyRepository
  readonly database: Database
  readonly findObstacle: Readiness['findObstacle']
  readonly watched: Pick<MetricsSources, 'answering' | 'ready'>
  /** Connects to Redis and to whoever tells of changes. Everything else connects when it is first asked. */
  start(): void
}

/**
 * Opens nothing.
 * @param to Whom things are read for, and who is told of changes.
 */
export function createStores(
  config: IdentityConfig,
  layout: Layout,
  telemetry: Telemetry,
  to: { readonly askers?: Askers; readonly notices?: NoticeListener | undefined } = {},
): Stores {
  const { askers = null, notices } = to
  const { log, metrics, trouble } = telemetry
  const { schema, timestampZone } = config.database
  const database = openDatabase({
    ...config.database,
    layout,
    ...askers,
    ...telemetry.ofDatabase,
    onSharedSessions: () => log.warn(SHARED_SESSIONS),
    onUnavailable: () => readiness.look(),
  })
  const db: Db = {
    ...database,
    tables: new Tables(layout, schema, timestampZone),
    mostRows: config.limits?.rows,
    onJoined: (kind, count) => metrics?.coalesced(kind, count),
    ...(askers && { askers }),
  }

  const roles = createRoleRepository(db)
  const {
    service: permissions,
    cache,
    trust,
  } = createPermissions({
    ...config.permissions,
    definitions: readDefinitions(config),
    origin: [schema, ...(config.auth ? config.auth.issuer : [])],
    redis: config.redis,
    continuous: config.permissions.events === 'postgres',
    roles: {
      ...roles,
      findRoles: (...question) =>
        askers
          ? askers.runShared(() => roles.findRoles(...question))
          : roles.findRoles(...question),
    },
    onReads: (hits, misses) => metrics?.permissionReads(hits, misses),
    onJoin: () => metrics?.coalesced('permissions', 1),
    ...(askers && { waitFor: askers.waitFor }),
    onTrouble: trouble('Redis is in trouble.', whyOf(config.redis)),
    onBack: () => log.info('Redis answers again.'),
    onRest: (of, resting) => {
      metrics?.breaker(of, resting)
      if (!resting) log.info(`Redis answers ${of} again.`)
    },
    onAttempt: telemetry.onRedisAttempt,
  })
  const news = createNews(config, { permissions, trust, trouble, notices })
  const signingKeys = createSigningKeyRepository(db)
  const repositories: Repositories = {
    users: createUserRepository(db),
    accounts: createAccountRepository(db),
    sessions: createSessionRepository(db),
    organizations: createOrganizationRepository(db),
    members: createMemberRepository(db),
    invitations: createInvitationRepository(db),
    teams: createTeamRepository(db),
    visibility: createVisibilityRepository(db),
    ...createPluginRepositories(db, config.auth?.apiKeys ?? undefined),
  }
  const readiness: Readiness = createReadiness(database, {
    findProblem: watchDrift({
      find: async () => describeDrift(await findDrift(database, layout, config.database)),
      onChange: (problem) =>
        problem === null ? log.info('The database is as expected again.') : log.error(problem),
    }),
    warmUp: () => warmUp({ ...repositories, signingKeys }, featuresOf(layout)),
    onAway: (error) =>
      log.warn({ error: describeError(error) }, describeUnreachable(error, config.database.url)),
    onBack: () => log.info('The database answers again.'),
  })
  const close = async () => {
    readiness.close()
    await news.close()
    await cache.close()
    await database.close()
  }
  return {
    identity: {
      ...repositories,
      ready: readiness.ready,
      verify: readiness.verify,
      permissions,
      close,
    },
    findObstacle: readiness.findObstacle,
    watched: {
      answering: { database: readiness.answers, redis: config.redis && (() => cache.ready()) },
      ready: readiness.fits,
    },
    signingKeys,
    database,
    start: () => {
      news.start()
      // Nothing waits for a connection to Redis, so it is opened before the first question.
      void cache.ready()
    },
  }
}

const SHARED_SESSIONS =
  'Connections to PostgreSQL share sessions, as behind a pooler in transaction mode: statements are no longer prepared. Set DATABASE_PREPARED_STATEMENTS=off.'

function readDefinitions({ permissions: { accessControl } }: IdentityConfig): RoleDefinitions {
  if (accessControl === null) return defaultRoleDefinitions
  return reading('ACCESS_CONTROL_FILE', () => parseRoleDefinitions(accessControl))
}
