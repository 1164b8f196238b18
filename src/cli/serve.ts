import { setFlagsFromString } from 'node:v8'
import { type Config, ConfigError, loadConfig } from '../config/config.ts'
import { findWarnings } from '../config/warnings.ts'
import { showMetrics } from '../http/metrics.ts'
import { startServer } from '../http/server.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { command } from './command.ts'
import { report } from './report.ts'
import { stopOnSignal } from './stop-on-signal.ts'

export const serve = command({
  synopsis: 'serve',
  usage: `Serve the graph over HTTP, configured by the environment (see docs/configuration.md).
  --check   connect to everything, tell what it would do and what is wrong, and listen nowhere;
            end with 0, with 1 when doctor finds an error, with 2 when the configuration is wrong`,
  options: { check: { type: 'boolean' } },
  run: async ({ check }) => {
    if (check) {
      process.exitCode = await (await import('./check.ts')).check(process.env)
      return
    }
    // V8 allocates as long-lived what it saw survive while its young generation was still small: rows and entities of the
    // first requests. docs/internals.md says what that costs, under "What the garbage collector taught".
    setFlagsFromString('--no-allocation-site-pretenuring')
    const log = createLogger('fatal')
    // Whoever collects the log is to see why nothing is served, whatever LOG_LEVEL says.
    const fail = (error: unknown) =>
      report(error, (problems) => {
        log.level = 'fatal'
        log.fatal(problems)
      })
    try {
      const warnings = findWarnings(process.env)
      const config = load(warnings)
      log.level = config.logLevel
      for (const warning of warnings) log.warn(warning)
      const starting = start(config, log)
      stopOnSignal(starting, fail)
      const { url } = await starting
      log.info({ url, settings: settingsOf(config) }, 'listening')
    } catch (error) {
      fail(error)
      process.exit()
    }
  },
})

/** What is on, and nothing that may be secret. */
function settingsOf(config: Config) {
  const { http, auth, service, permissions, federation, redis, limits, audit } = config
  return {
    environment: http.environment,
    sessions: auth.sessions !== null,
    apps: auth.oauth !== null,
    opaqueTokens: auth.opaqueTokens !== null,
    apiKeys: auth.apiKeys !== null,
    services: service !== null,
    events: permissions.events,
    federation,
    trustedDocuments: http.trustedDocuments !== null,
    graphiql: http.graphiql,
    introspection: http.introspection,
    cache: redis ? 'redis' : 'process',
    ratePerMinute: limits.ratePerMinute,
    metrics: http.metricsPort !== null,
    audit: audit !== null,
  }
}

/** What is required and missing may be there under a misspelt name, and no log can say so yet. */
function load(warnings: readonly string[]): Config {
  try {
    return loadConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError([error.message, ...warnings].join('\n'))
  }
}

async function start(config: Config, log: Logger) {
  const { createGateway } = await import('../gateway.ts')
  const gateway = createGateway(config, { log })
  await gateway.verify()
  gateway.start()
  const { metricsHost, metricsPort } = config.http
  const metrics =
    gateway.metrics && metricsPort !== null
      ? await startServer(
          { node: showMetrics(gateway.metrics), close: async () => {} },
          { host: metricsHost, port: metricsPort },
        ).catch(listeningAs('METRICS_HOST', 'METRICS_PORT'))
      : null
  if (metrics) {
    const { hostname, port } = new URL(metrics.url)
    log.info({ host: hostname, port: Number(port) }, 'metrics')
  }
  const server = await startServer(gateway, config.http).catch(listeningAs('HOST', 'PORT'))
  const stop = async () => {
    gateway.metrics?.stopping()
    await server.stop()
    await metrics?.stop()
  }
  return { url: server.url, stop }
}

/** Which variable to correct when nothing can be listened to. */
function listeningAs(host: string, port: string) {
  const problems: Readonly<Record<string, string>> = {
    EADDRINUSE: `${port}: something listens there already`,
    EACCES: `${port}: this process may not listen there`,
    EADDRNOTAVAIL: `${host}: this machine has no such address`,
    ENOTFOUND: `${host}: there is no such host`,
  }
  return (error: Error & { readonly code?: string }): never => {
    const problem = problems[error.code ?? '']
    if (problem === undefined) throw error
    const message = `${problem} (${error.message}).`
    // Another process can be ended; a wrong name has to be corrected.
    throw problem.startsWith(`${host}:`) ? new ConfigError(message) : new Error(message)
  }
}
