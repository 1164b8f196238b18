import type { Layout } from '../layout/layout.ts'
import { accessControl } from './access-control.ts'
import { startBetterAuth } from './better-auth.ts'
import { callersOf } from './callers.ts'
import { livePage } from './live.ts'
import { findFreePort, isTaken } from './ports.ts'
import { startPostgres } from './postgres.ts'
import { findOrStartRedis } from './redis.ts'
import { createReadOnlyRole, createTriggers } from './role.ts'
import { readScreens, type Screen } from './screens.ts'
import { type DemoPerson, seed } from './seed.ts'
import { createServiceIssuer } from './service-issuer.ts'

export interface DemoOptions {
  /** The gateway's port, which must be free then; when not given, the first free one from 4000 on. */
  readonly port?: number | undefined
  /** A Redis to use; when not given, the machine's own `redis-server` is started. */
  readonly redisUrl?: string | undefined
  /** Reads what Better Auth's tables are called, whatever another database's are: see the command `introspect`. */
  readonly introspect: (databaseUrl: string) => Promise<Introspected>
  /** Told what is going on, a line at a time. */
  readonly log: (line: string) => void
  readonly startGateway: (settings: DemoGatewaySettings) => Promise<DemoGateway>
}

interface Introspected {
  readonly layout: Layout
  /** The text of the canonical schema.prisma. */
  readonly prismaSchema: string
}

/** What the gateway of the demo is to be configured with. */
export interface DemoGatewaySettings {
  /** Its variables, over those that are set. */
  readonly environment: Readonly<Record<string, string>>
  /** In place of PRISMA_SCHEMA_FILE, its text. */
  readonly prismaSchema: string
  /** In place of ACCESS_CONTROL_FILE, its content. */
  readonly accessControl: typeof accessControl
  /** Whom GraphiQL offers to be; it starts as the first, so that its first query shows somebody. */
  readonly callers: ReturnType<typeof callersOf>
  /** What it opens with. */
  readonly samples: readonly Screen[]
}

export interface DemoGateway {
  /** The address of the graph, with its path. */
  readonly url: string
  stop(): Promise<void>
}

export interface Demo {
  readonly graphql: string
  readonly auth: string
  /** As the read-only role. */
  readonly database: string
  readonly databaseOwner: string
  readonly redis: string | null
  readonly service: { readonly token: string }
  /** The address of the page that shows changes as they come. */
  readonly live: string
  readonly people: readonly DemoPerson[]
  /** Stops everything that was started, the last part first. */
  stop(): Promise<void>
}

/** Starts everything the gateway needs, with sample people in it, then the gateway, all on 127.0.0.1. */
export async function startDemo({ log, ...options }: DemoOptions): Promise<Demo> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const stopPart of stops.splice(0).reverse())
      await stopPart().catch((error) => log(`Stopping failed: ${error}`))
  }
  try {
    const port = await chooseGatewayPort(options.port)
    const postgres = registered(await startPostgres(), stops)
    const redis = registered(await findOrStartRedis({ url: options.redisUrl }), stops)
    log('PostgreSQL is ready.')
    const services = await createServiceIssuer()
    const pages = new Map<string, string>()
    const betterAuth = registered(
      await startBetterAuth({
        databaseUrl: postgres.url,
        port: port === 3000 ? 0 : 3000,
        tokenLifetime: '12h',
        documents: { '/services/jwks': services.jwks },
        pages,
      }),
      stops,
    )
    // Whatever the checkout's schema says of another database.
    const { layout, prismaSchema } = await options.introspect(postgres.url)
    log('Better Auth is ready; people and organizations are signing up.')
    const people = await seed(betterAuth.auth)
    const databaseUrl = await createReadOnlyRole(postgres.url, layout)
    await createTriggers(postgres.url, layout)
    const service = { issuer: `${betterAuth.issuer}/services`, audience: 'identity-gateway' }
    const serviceToken = await services.sign(service)
    const gateway = registered(
      await options.startGateway({
        environment: {
          DATABASE_URL: databaseUrl,
          DATABASE_SCHEMA: 'public',
          PRISMA_SCHEMA_FILE: '',
          REDIS_URL: redis?.url ?? '',
          AUTH_ISSUER: betterAuth.issuer,
          AUTH_AUDIENCE: betterAuth.issuer,
          AUTH_SESSIONS: 'on',
          BETTER_AUTH_SECRET: betterAuth.secret,
          BETTER_AUTH_URL: betterAuth.url,
          SERVICE_ISSUER: service.issuer,
          SERVICE_AUDIENCE: service.audience,
          SERVICE_JWKS_URL: `${betterAuth.issuer}/services/jwks`,
          DYNAMIC_ACCESS_CONTROL: 'on',
          PERMISSION_EVENTS: 'postgres',
          DATABASE_LISTEN_URL: '',
          CORS_ORIGINS: betterAuth.issuer,
          HOST: '127.0.0.1',
          PORT: String(port),
        },
        prismaSchema,
        accessControl,
        callers: callersOf(people, serviceToken),
        samples: await readScreens(postgres.url, people),
      }),
      stops,
    )
    pages.set(LIVE, livePage({ graphql: gateway.url, people }))
    return {
      graphql: gateway.url,
      auth: betterAuth.url,
      database: databaseUrl,
      databaseOwner: postgres.url,
      redis: redis?.url ?? null,
      service: { token: serviceToken },
      live: `${betterAuth.issuer}${LIVE}`,
      people,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const LIVE = '/live'

function registered<Part extends { stop(): Promise<void> } | null>(
  part: Part,
  stops: (() => Promise<void>)[],
): Part {
  if (part !== null) stops.push(() => part.stop())
  return part
}

async function chooseGatewayPort(wanted: number | undefined): Promise<number> {
  for (let port = wanted ?? 4000; ; port++) {
    try {
      return await findFreePort(port)
    } catch (error) {
      if (!isTaken(error)) throw error
      if (wanted !== undefined)
        throw new Error(`Port ${port} is taken: set PORT to another one.`, { cause: error })
    }
  }
}
