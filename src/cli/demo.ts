import { type Config, loadConfig } from '../config/config.ts'
import type { DemoGatewaySettings } from '../demo/demo.ts'
import { startServer } from '../http/server.ts'
import { createLogger } from '../telemetry/log.ts'
import { command } from './command.ts'
import { whereInstalled } from './installed.ts'
import { stopOnSignal } from './stop-on-signal.ts'

export const demo = command({
  synopsis: 'demo',
  usage: `Start everything with sample people on this machine: PostgreSQL, Better Auth, the gateway.
  --json   print one line of JSON for programs, and nothing else, on standard output`,
  options: { json: { type: 'boolean' } },
  run: async ({ json }) => {
    const { startDemo } = await whereInstalled(import('../demo/demo.ts'), 'demo')
    const { toJsonLine, toText } = await import('../demo/print.ts')
    const starting = startDemo({
      port: process.env.PORT ? Number(process.env.PORT) : undefined,
      redisUrl: process.env.REDIS_URL || undefined,
      introspect,
      log: (line) => process.stderr.write(`${line}\n`),
      startGateway,
    })
    stopOnSignal(starting)
    const running = await starting
    process.stdout.write(json ? `${toJsonLine(running)}\n` : toText(running))
  },
})

async function introspect(databaseUrl: string) {
  const { readLayout } = await import('../config/layout.ts')
  const { readSchema } = await import('../introspection/introspect.ts')
  const { schema: prismaSchema } = await readSchema({ databaseUrl, databaseSchema: 'public' })
  return { prismaSchema, layout: readLayout({ prismaSchema }) }
}

async function startGateway(settings: DemoGatewaySettings) {
  const { createGateway } = await import('../gateway.ts')
  const config = configOf(settings)
  // Standard output is for what the reader needs; only trouble is logged, beside it.
  const log = createLogger(process.env.LOG_LEVEL || 'warn', process.stderr)
  const gateway = createGateway(config, { log, graphiqlCallers: settings.callers })
  const server = await startServer(gateway, { ...config.http, hosts: ['127.0.0.1', 'localhost'] })
  return { url: `${server.url}/graphql`, stop: server.stop }
}

function configOf(settings: DemoGatewaySettings): Config {
  const environment = loadConfig({
    ...process.env,
    DATABASE_URL: settings.databaseUrl,
    DATABASE_SCHEMA: 'public',
    PRISMA_SCHEMA_FILE: '',
    REDIS_URL: settings.redisUrl ?? '',
    AUTH_ISSUER: settings.issuer,
    AUTH_AUDIENCE: settings.issuer,
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: settings.betterAuthSecret,
    BETTER_AUTH_URL: settings.betterAuthUrl,
    SERVICE_ISSUER: settings.service.issuer,
    SERVICE_AUDIENCE: settings.service.audience,
    SERVICE_JWKS_URL: settings.service.jwksUrl,
    DYNAMIC_ACCESS_CONTROL: 'on',
    HOST: settings.host,
    PORT: String(settings.port),
  })
  return {
    ...environment,
    database: { ...environment.database, prismaSchema: settings.prismaSchema },
    permissions: { ...environment.permissions, accessControl: settings.accessControl },
  }
}
