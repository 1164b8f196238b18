import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { version } from './version.ts'

/** What is read at the moment somebody asks for the metrics. */
export interface MetricsSources {
  /** How many connections there may be and are, how many of them idle, and how many statements wait for one. */
  readonly pool: () => Readonly<Record<'size' | 'total' | 'idle' | 'waiting', number>>
  readonly underWay: () => number
  /** How many are open. */
  readonly subscriptions: () => number
  readonly ready: () => Promise<boolean>
  /** Whether they answer now; `null`: there is no Redis. */
  readonly answering: {
    readonly database: () => Promise<boolean>
    readonly redis: (() => Promise<boolean>) | null
  }
  /** In seconds, by whose keys; absent while there are none. */
  readonly keyAges: () => Readonly<Record<string, number | undefined>>
}

export type Outcome = 'answered' | 'refused' | 'unavailable' | 'failed' | 'gone'

const STATUSES = ['2xx', '3xx', '4xx', '5xx', 'aborted'] as const
/** The class of a status, or that the client did not wait for one. */
export type Status = (typeof STATUSES)[number]

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Everything that is counted, in one list. No label takes a value that a client can choose. */
export class Metrics {
  readonly #registry = new Registry()
  #stopping = false
  readonly #requests = this.#histogram('request_duration_seconds', 'Time to answer a request.', [
    'operation',
    'outcome',
  ])
  readonly #responses = this.#counter('http_responses_total', 'Requests but for probes.', [
    'status',
  ])
  readonly #errors = this.#counter('errors_total', 'Errors told to clients.', ['code'])
  readonly #shed = this.#counter('shed_requests_total', 'Operations refused for want of room.', [])
  readonly #permissionReads = this.#counter(
    'permission_cache_reads_total',
    'Permission questions put to the cache.',
    ['result'],
  )
  readonly #coalesced = this.#counter(
    'coalesced_total',
    'Questions answered by what somebody else was asking already.',
    ['kind'],
  )
  readonly #statements = this.#histogram('sql_statement_seconds', 'Time of SQL statements.', [
    'outcome',
  ])
  readonly #waits = this.#histogram(
    'sql_wait_seconds',
    'Time that SQL statements waited for a connection.',
    [],
  )
  readonly #connectFailures = this.#counter(
    'sql_connect_failures_total',
    'Connections to PostgreSQL that could not be made.',
    [],
  )
  readonly #redis = this.#histogram('redis_round_trip_seconds', 'Time that Redis took.', [
    'of',
    'outcome',
  ])
  readonly #breakers = this.#gauge(
    'redis_breaker_open',
    '1 while Redis is not tried, because it kept failing.',
    ['of'],
  )

  readonly #events = this.#counter('subscription_events_total', 'Events that were sent.', [])
  readonly #auditDropped = this.#counter(
    'audit_dropped_total',
    'Records of the audit log that were lost.',
    [],
  )

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
    for (const of of ['reads', 'writes']) this.#breakers.set({ of }, 0)
    for (const status of STATUSES) this.#responses.inc({ status }, 0)
    this.#gauge('build_info', 'What runs: always 1.', ['version', 'node']).set(
      { version, node: process.versions.node },
      1,
    )
  }

  /** Also tells what these say at the moment of asking. */
  watch(sources: MetricsSources): void {
    this.#gauge('requests_under_way', 'Operations being answered.', [], (gauge) =>
      gauge.set(sources.underWay()),
    )
    this.#gauge('subscriptions', 'Subscriptions that are open.', [], (gauge) =>
      gauge.set(sources.subscriptions()),
    )
    this.#gauge('sql_connections', 'Connections to PostgreSQL.', ['state'], (gauge) => {
      const { total, idle } = sources.pool()
      gauge.set({ state: 'idle' }, idle)
      gauge.set({ state: 'busy' }, total - idle)
    })
    this.#gauge('sql_pool_size', 'The most connections to PostgreSQL.', [], (gauge) =>
      gauge.set(sources.pool().size),
    )
    this.#gauge('sql_waiting', 'Statements that wait for a connection.', [], (gauge) =>
      gauge.set(sources.pool().waiting),
    )
    this.#gauge('ready', 'Whether requests can be answered: 1, or 0.', [], async (gauge) =>
      gauge.set(!this.#stopping && (await sources.ready()) ? 1 : 0),
    )
    for (const [name, answers] of Object.entries(sources.answering))
      if (answers)
        this.#gauge(`${name}_up`, 'Whether it answers: 1, or 0.', [], async (gauge) =>
          gauge.set((await answers()) ? 1 : 0),
        )
    this.#gauge('signing_keys_age_seconds', 'Since the keys were read.', ['issuer'], (gauge) => {
      for (const [issuer, age] of Object.entries(sources.keyAges()))
        if (age !== undefined) gauge.set({ issuer }, age)
    })
  }

  /** From now on it is not ready, whatever the sources say. */
  stopping(): void {
    this.#stopping = true
  }

  response(status: Status): void {
    this.#responses.inc({ status })
  }

  /** `operation`: the name of a trusted document; `null`: any other. */
  request(operation: string | null, outcome: Outcome, seconds: number): void {
    this.#requests.observe({ operation: operation ?? 'other', outcome }, seconds)
  }

  error(code: string): void {
    this.#errors.inc({ code })
  }

  event(): void {
    this.#events.inc()
  }

  shed(): void {
    this.#shed.inc()
  }

  permissionReads(hits: number, misses: number): void {
    this.#permissionReads.inc({ result: 'hit' }, hits)
    this.#permissionReads.inc({ result: 'miss' }, misses)
  }

  coalesced(kind: string, count: number): void {
    this.#coalesced.inc({ kind }, count)
  }

  statement(outcome: string, seconds: number): void {
    this.#statements.observe({ outcome }, seconds)
  }

  wait(seconds: number): void {
    this.#waits.observe(seconds)
  }

  connectFailure(): void {
    this.#connectFailures.inc()
  }

  redis(of: 'reads' | 'writes', failed: boolean, seconds: number): void {
    this.#redis.observe({ of, outcome: failed ? 'failed' : 'answered' }, seconds)
  }

  breaker(of: 'reads' | 'writes', open: boolean): void {
    this.#breakers.set({ of }, open ? 1 : 0)
  }

  auditDropped(records: number): void {
    this.#auditDropped.inc(records)
  }

  /** In the text format of Prometheus, as `contentType` names it. */
  print(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  #counter(name: string, help: string, labelNames: string[]) {
    return new Counter({ ...this.#described(name, help), labelNames })
  }

  #histogram(name: string, help: string, labelNames: string[]) {
    return new Histogram({ ...this.#described(name, help), labelNames, buckets: SECONDS })
  }

  #gauge(name: string, help: string, labelNames: string[], collect?: (gauge: Gauge) => unknown) {
    return new Gauge({
      ...this.#described(name, help),
      labelNames,
      ...(collect && {
        async collect() {
          await collect(this)
        },
      }),
    })
  }

  #described(name: string, help: string) {
    return { name: `identity_gateway_${name}`, help, registers: [this.#registry] }
  }
}
