import type { RequestListener } from 'node:http'
import { createAnswer } from './answer.ts'
import { createAudit } from './audit/create.ts'
import { createAuth } from './auth/auth.ts'
import { ChangeFeed } from './changes/feed.ts'
import { membersAmong } from './changes/members-among.ts'
import { type Config, ConfigError, reading } from './config/config.ts'
import { readLayout } from './config/layout.ts'
import type { AuditSink } from './domain/audit.ts'
import { tellRefusalsOnce } from './graph/refusals.ts'
import { createSchema, createSubgraph } from './graph/schema.ts'
import { withPrefix } from './graph/sdl/prefix.ts'
import { createAuthzenLane } from './http/authzen.ts'
import { CostBudget } from './http/budget.ts'
import { credentialHeaders } from './http/cors.ts'
import { createHttp } from './http/create.ts'
import type { GraphiQLParts } from './http/graphiql/graphiql.ts'
import { recordRequests } from './http/log.ts'
import { describeResource } from './http/protected-resource.ts'
import { RateLimiter } from './http/rate-limiter.ts'
import { Unsent } from './http/unsent.ts'
import { createStores, type Identity } from './identity.ts'
import { featuresOf } from './layout/features.ts'
import { ownerFunctions } from './layout/owner-functions.ts'
import { findCredentialObstacle } from './layout/sessions.ts'
import { createLetIn } from './let-in.ts'
import { Admission } from './operation/admission.ts'
import { Documents } from './operation/documents.ts'
import { createTell } from './operation/tell.ts'
import { TrustedDocuments } from './operation/trusted.ts'
import { Turns } from './operation/turns.ts'
import { createWarnings } from './operation/warnings.ts'
import { freshly } from './permissions/fresh.ts'
import { createLookups, verifyLookup } from './postgres/session.ts'
import { createCounters } from './redis/counters.ts'
import { askersOf } from './scope.ts'
import { Streams } from './streams.ts'
import { createLogger, describeError, type Logger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { Telemetry } from './telemetry/telemetry.ts'

export type { Config } from './config/config.ts'
export { ConfigError, loadConfig, loadNames } from './config/config.ts'
export { readLayout } from './config/layout.ts'
export type { AuditRecord, AuditSink } from './domain/audit.ts'
export type { ErrorCode } from './domain/errors.ts'
export type { GraphiQLCaller, GraphiQLSample } from './http/graphiql/graphiql.ts'
export { toAccessControl } from './permissions/definitions.ts'
export { type GraphForm, printGraph, printOwnerSql, printPermissions } from './print.ts'

export interface Gateway extends Pick<Identity, 'ready' | 'verify'> {
  /** For servers that speak the Fetch API. No connection is known here, so a rate limit counts all as one address. */
  readonly fetch: (request: Request) => Promise<Response>
  /** For `node:http` and the servers built on it. */
  readonly node: RequestListener
  /** Connects to what must be there before the first request: Redis, and whoever tells of changes. The first request does too. */
  start(): void
  /** What was counted; `null` unless METRICS_PORT is set. */
  readonly metrics: Metrics | null
  /** Cuts off subscriptions, so that their clients subscribe elsewhere. */
  drain(): void
  /** Lets go of connections; requests under way should have ended. */
  close(): Promise<void>
}

export interface GatewayParts extends GraphiQLParts {
  readonly log?: Logger
  /** Takes what AUDIT_LOG names, in place of AUDIT_LOG_FILE. */
  readonly audit?: AuditSink
}

/**
 * The composition root: every part of the gateway is made here, once, and handed what it needs. Nothing is opened.
 * @throws ConfigError when a file does not say what it should, or when sessions are to be credentials and cannot be.
 */
export function createGateway(config: Config, parts: GatewayParts = {}): Gateway {
  const { http, limits } = config
  const log = parts.log ?? createLogger(config.logLevel)
  const telemetry = new Telemetry(log, { metrics: http.metricsPort !== null })
  const { metrics, trouble } = telemetry

  const layout = readLayout(config.database)
  const askers = askersOf(READ_FOR_AN_ANSWER * limits.document.answerBytes)
  const isTelling = config.permissions.events !== 'off' && limits.subscriptions.most > 0
  const changes = isTelling
    ? new ChangeFeed({ findMembers: (...of) => membersAmong(identity.members, ...of) })
    : null
  const stores = createStores(config, layout, telemetry, { askers, notices: changes ?? undefined })
  const { identity, database, signingKeys } = stores

  const obstacle = findCredentialObstacle(layout, config.auth)
  if (obstacle) throw new ConfigError(obstacle)
  const lookups = createLookups(database, ownerFunctions(layout, config.database), (what, error) =>
    log.error({ error: describeError(error) }, what),
  )
  const counters = config.redis && createCounters(config.redis, trouble)
  const auth = createAuth({
    ...config.auth,
    service: config.service,
    isFirstUse: counters?.isFirstUse ?? null,
    origins: http.corsOrigins,
    signingKeys,
    lookups,
    askers,
    trouble,
    onFetch: telemetry.onFetch,
    onBack: (what) => log.info(what),
  })

  const features = featuresOf(layout)
  if (config.authzen && !features.organizations) throw new ConfigError(NO_ORGANIZATIONS)
  const subgraph = config.federation ? config.subgraph : null
  const schema = subgraph ? createSubgraph(features, subgraph) : createSchema(features)
  const auditing =
    config.audit && createAudit(config.audit, { schema, features }, parts.audit, telemetry)
  // Last, so that what is audited is what fields tell, and not what is left out of the answer.
  tellRefusalsOnce(schema)
  const served = subgraph ? withPrefix(schema, subgraph.prefix) : schema
  const documents = new Documents({
    schema: served,
    limits: limits.document,
    introspection: http.introspection,
  })
  const { trustedDocuments } = http
  const trusted =
    trustedDocuments &&
    reading('TRUSTED_DOCUMENTS_FILE', () => new TrustedDocuments(trustedDocuments, served))

  const { ratePerMinute: perMinute } = limits
  const rate = perMinute === null ? null : new RateLimiter({ perMinute, redis: counters })
  const unsent = new Unsent()
  const admission = new Admission({
    most: http.mostUnderWay,
    rate,
    budget: new CostBudget({ ...limits, redis: counters }),
    mayNotAsk: (share) => unsent.isFull(share),
    onShed: () => metrics?.shed(),
  })
  const tell = createTell({
    suggestions: http.introspection,
    onUnexpected: (error, { id }) =>
      log.error({ requestId: id, error: describeError(error) }, 'unexpected error'),
  })
  const { proofAlgorithms } = auth
  const resource = describeResource(config.auth.oauth, proofAlgorithms)
  const challenge = { metadataUrl: resource?.metadataUrl, proofAlgorithms }
  const common = { admission, challenge, tell }
  const turns = { light: new Turns(), heavy: new Turns(() => admission.isServingLight) }
  const sources = {
    ...identity,
    changes,
    platformAdmins: config.platformAdmins,
    creatorRole: config.permissions.creatorRole,
  }
  const { authenticator } = auth
  const caller = { admission, authenticator, sources }
  const audit = auditing?.audit ?? null
  const { subscriptions } = limits
  const streams =
    changes &&
    new Streams({
      ...{ ...subscriptions, admission, authenticator, tell, turns, timeoutMs: http.timeoutMs },
      letIn: createLetIn({
        ...caller,
        audit,
        sources: { ...sources, permissions: freshly(identity.permissions) },
      }),
      onEvent: () => metrics?.event(),
      onClose: () => changes.close(),
    })
  const answer = createAnswer({
    ...{ ...common, documents, trusted, rate, turns, streams },
    letIn: createLetIn({ ...caller, audit }),
    writeTo: config.betterAuthUrl?.href ?? null,
    warn: createWarnings(log),
  })
  const record = recordRequests(log, metrics, config.accessLog)
  const { front, close } = createHttp({
    ...{ http, answer, tell, rate, unsent, resource, schema: served },
    room: { ...limits, ...limits.document, references: subgraph?.mostReferences ?? 0 },
    graphiql: http.graphiql && !trusted ? parts : null,
    findObstacle: stores.findObstacle,
    trusted: trusted !== null,
    authzen:
      config.authzen &&
      createAuthzenLane({
        ...{ ...config.authzen, ...common, turns, limits, publicUrl: config.auth.publicUrl },
        letIn: createLetIn({ ...caller, audit: auditing?.ofDecisions ?? null }),
      }),
    varyBy: credentialHeaders(config.auth.apiKeys),
    onEnd: (scope, status) => {
      scope.ended = true
      admission.leave(scope, Number.POSITIVE_INFINITY)
      record(scope, status)
    },
  })
  metrics?.watch({
    pool: () => ({ size: config.database.poolSize, ...database.poolUse() }),
    underWay: () => admission.underWay,
    subscriptions: () => streams?.count ?? 0,
    ...stores.watched,
    keyAges: auth.keyAges,
  })

  let started = false
  const start = () => {
    if (started) return
    started = true
    stores.start()
    // Nothing waits long for a connection, so it is opened before the first request or proof is counted.
    if (rate || proofAlgorithms.length > 0) counters?.client.connect().catch(() => {})
    auth.tryLookups()
  }
  return {
    fetch: (request) => {
      start()
      return front.fetch(request)
    },
    node: (request, response) => {
      start()
      return front.node(request, response)
    },
    start,
    ready: () => {
      start()
      return identity.ready()
    },
    verify: async () => {
      reading('AUDIT_LOG_FILE', () => auditing?.file?.open())
      auth.readAhead()
      await identity.verify()
      if (config.auth.opaqueTokens) await verifyLookup(lookups.opaqueTokens.findByHash)
    },
    metrics,
    drain: () => streams?.close(),
    close: async () => {
      streams?.close()
      await close()
      await auditing?.file?.close()
      counters?.client.disconnect()
      await identity.close()
    },
  }
}

/** So much more than its answer may have may be read for a request. */
const READ_FOR_AN_ANSWER = 2
const NO_ORGANIZATIONS =
  'AUTHZEN: the Authorization API is about organizations, and this database has no tables of them.'
