import { type Config, ConfigError, loadConfig } from '../config/config.ts'
import type { Given } from '../config/group.ts'
import type { Finding } from '../doctor/finding.ts'
import { createLogger } from '../telemetry/log.ts'

/**
 * Tells in one report what serve would do with this environment, and what is wrong with it, as doctor finds it. Nothing is
 * listened to. Answers how the process is to end.
 */
export async function check(environment: Given): Promise<0 | 1 | 2> {
  const { examine } = await import('../doctor/doctor.ts')
  const { toText } = await import('../doctor/print.ts')
  const report = await examine(environment)
  const plan = report.findings.some(isMisconfigured) ? [] : await findPlan(loadConfig(environment))
  const findings = [...plan, ...report.findings]
  process.stdout.write(toText({ ...report, findings }))
  if (findings.some(isMisconfigured)) return 2
  return report.healthy ? 0 : 1
}

function isMisconfigured({ check, level }: Finding): boolean {
  return check === 'configuration' && level === 'error'
}

/** Some files are held against each other, and against the graph, only where all of the gateway is made. */
async function findPlan(config: Config): Promise<readonly Finding[]> {
  const { createGateway } = await import('../gateway.ts')
  try {
    await createGateway(config, { log: createLogger('silent') }).close()
    return planOf(config).map((message) => ({ check: 'serve', level: 'info', message }))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ check: 'configuration', level: 'error', message: error.message }]
  }
}

/** Without passwords, and without what is in files. */
function planOf({ http, database, auth, service, redis, permissions }: Config): readonly string[] {
  const { host, pathname, username, searchParams } = new URL(database.url)
  const { port, metricsHost, metricsPort } = http
  const trusted = ({ issuer, audience }: Pick<typeof auth, 'issuer' | 'audience'>) =>
    `${issuer.join(' or ')} for ${audience.join(' or ')}`
  const credentials = [
    `JWTs of ${trusted(auth)}`,
    ...(auth.oauth ? [`apps' access tokens of ${trusted(auth.oauth)}`] : []),
    ...(auth.opaqueTokens ? ['their opaque access tokens'] : []),
    ...(auth.sessions ? ['sessions'] : []),
    ...(auth.apiKeys ? [`API keys in ${auth.apiKeys.header}`] : []),
    ...(service ? [`services' tokens of ${trusted(service)}`] : []),
  ]
  const onOff = (is: boolean) => (is ? 'on' : 'off')
  return [
    `It would listen at ${http.host ?? 'every address'}, port ${port}${metricsPort === null ? '' : `, and for Prometheus at ${metricsHost ?? 'every address'}, port ${metricsPort}`}.`,
    `It would read the schema ${database.schema} of the database ${pathname.slice(1)} at ${searchParams.get('host') ?? host} as the role ${username}, over at most ${database.poolSize} connections.`,
    `It would accept ${credentials.join(', ')}.`,
    `It would keep permissions in ${redis ? 'Redis' : 'its own memory'} for ${permissions.ttlSeconds} s at most; news of changes: ${permissions.events}.`,
    `GraphiQL is ${onOff(http.graphiql)}, introspection of the graph is ${onOff(http.introspection)}.`,
  ]
}
