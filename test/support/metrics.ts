import { Metrics } from '../../src/telemetry/metrics.ts'

/** With a sample of each metric, and so with every label. */
export async function printedMetrics(): Promise<string> {
  const metrics = new Metrics()
  metrics.watch({
    pool: () => ({ size: 10, total: 3, idle: 2, waiting: 1 }),
    underWay: () => 1,
    subscriptions: () => 1,
    ready: async () => true,
    answering: { database: async () => true, redis: async () => false },
    keyAges: () => ({ users: 1 }),
  })
  metrics.response('2xx')
  metrics.request(null, 'answered', 0.1)
  metrics.error('FORBIDDEN')
  metrics.shed()
  metrics.event()
  metrics.permissionReads(1, 1)
  metrics.coalesced('users', 1)
  metrics.statement('answered', 0.1)
  metrics.wait(0.1)
  metrics.connectFailure()
  metrics.auditDropped(1)
  metrics.redis('reads', false, 0.1)
  metrics.breaker('reads', false)
  return metrics.print()
}
