import { loadConfig } from '../config/config.ts'
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
  const { CORS_ORIGINS, ...environment } = settings.environment
  const { database, permissions, ...given } = loadConfig({
    ...process.env,
    ...environment,
    // Pages that may ask already still may.
    CORS_ORIGINS: [process.env.CORS_ORIGINS, CORS_ORIGINS].filter(Boolean).join(','),
  })
  const config = {
    ...given,
    database: { ...database, prismaSchema: settings.prismaSchema },
    permissions: { ...permissions, accessControl: settings.accessControl },
  }
  // Standard output is for what the reader needs; only trouble is logged, beside it.
  const log = createLogger(process.env.LOG_LEVEL || 'warn', process.stderr)
  const { callers: graphiqlCallers, samples: graphiqlSamples } = settings
  const gateway = createGateway(config, { log, graphiqlCallers, graphiqlSamples })
  const server = await startServer(gateway, { ...config.http, hosts: ['127.0.0.1', 'localhost'] })
  return { url: `${server.url}/graphql`, stop: server.stop }
}
