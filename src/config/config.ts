import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** Everything the process is told from outside. Durations and sizes carry their unit in the name. */
export interface Config {
  readonly database: {
    readonly url: string
    readonly schema: string
    /** The text of the canonical schema.prisma that says what this database calls its tables and columns. */
    readonly prismaSchema: string
    /** A connection of its own that stays in one session, for LISTEN: no pooler that shares it, no standby. */
    readonly listenUrl: string
    readonly poolSize: number
    readonly statementTimeoutMs: number
    readonly preparedStatements: boolean
  }
  /** `null`: permissions are cached in this process. */
  readonly redis: {
    readonly url: string
    readonly keyPrefix: string
    readonly timeoutMs: number
  } | null
  readonly auth: {
    readonly issuer: string
    readonly audience: string
    readonly algorithms: readonly string[]
    /** Where Better Auth's public keys are read: its own table, or a JWKS URL. */
    readonly jwks: 'database' | URL
    /** `null`: sessions of Better Auth are no credentials. `secret` is what it signs their tokens with. */
    readonly sessions: { readonly secret: string; readonly cookiePrefix: string } | null
  }
  /** `null`: no service tokens are accepted. */
  readonly service: {
    readonly issuer: string
    readonly audience: string
    readonly jwksUrl: URL
    /** What marks a token as a service's own; `null`: that `sub` is `client_id` or `azp`, where it has these. */
    readonly subjects: readonly { readonly claim: string; readonly pattern: string }[] | null
  } | null
  readonly permissions: {
    /** The parsed text of the access control file; `null`: Better Auth's default roles. */
    readonly accessControl: unknown
    readonly dynamic: boolean
    readonly ttlSeconds: number
    /** Where news of changes come from that shorten the cache's bound. */
    readonly events: 'redis' | 'postgres' | 'off'
    /** The role that whoever creates an organization gets. */
    readonly creatorRole: string
  }
  readonly platformAdminRoles: readonly string[]
  /** Whether the graph is served as a subgraph of Apollo Federation. */
  readonly federation: boolean
  /** Better Auth's HTTP API, where changes are made. */
  readonly betterAuthUrl: URL | null
  readonly http: {
    readonly host: string
    readonly port: number
    readonly graphiql: boolean
    readonly introspection: boolean
    /** As browsers send them, for example `https://app.example.com`. */
    readonly corsOrigins: readonly string[]
    /** The longest a request may take. */
    readonly timeoutMs: number
    /** How many operations may be under way at once. */
    readonly mostUnderWay: number
    /** How long requests are still accepted when the server stops, for the balancer to notice. */
    readonly shutdownGraceMs: number
    /** `null`: no metrics. */
    readonly metricsPort: number | null
    /** Whose word is taken for the address of a client: nobody's, that of so many proxies, or of these addresses. */
    readonly trustProxy: 'off' | number | readonly string[]
    /** The most operations in one request. */
    readonly batchLimit: number
    /** Documents by the names clients send; nothing else is answered then. `null`: any document is. */
    readonly trustedDocuments: Readonly<Record<string, string>> | null
  }
  readonly limits: {
    readonly document: {
      readonly depth: number
      readonly aliases: number
      readonly directives: number
      readonly tokens: number
      readonly cost: number
    }
    readonly bodyBytes: number
    /** Requests of one caller, and of one address; `null`: any number. */
    readonly ratePerMinute: number | null
  }
  readonly logLevel: string
}

/** What is wrong with the environment: every problem, one a line, each naming its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** @throws ConfigError naming the variable when what it names is malformed. */
export function reading<Content>(variable: string, read: () => Content): Content {
  try {
    return read()
  } catch (error) {
    throw new ConfigError(`${variable}: ${error instanceof Error ? error.message : error}`)
  }
}

/**
 * Reads the configuration from environment variables; an empty one counts as absent.
 * @throws ConfigError
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = present(environment)
  const parsed = variables.safeParse(given)
  const problems = [...problemsOf(parsed), ...problemsBetween(given)]
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join('\n'))
  return toConfig(parsed.data)
}

/**
 * Reads no more than where Better Auth's tables are, what they are called and how long a statement may take.
 * @throws ConfigError
 */
export function loadNames(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<Config['database'], 'schema' | 'prismaSchema' | 'statementTimeoutMs'> {
  const names = variables.pick({
    DATABASE_SCHEMA: true,
    PRISMA_SCHEMA_FILE: true,
    DATABASE_STATEMENT_TIMEOUT_MS: true,
  })
  const parsed = names.safeParse(present(environment))
  if (!parsed.success) throw new ConfigError(problemsOf(parsed).join('\n'))
  return {
    schema: parsed.data.DATABASE_SCHEMA,
    prismaSchema: parsed.data.PRISMA_SCHEMA_FILE,
    statementTimeoutMs: parsed.data.DATABASE_STATEMENT_TIMEOUT_MS,
  }
}

function present(environment: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
}

function problemsOf({ error }: z.ZodSafeParseResult<unknown>): string[] {
  return (error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`)
}

/** What the command `introspect` writes unless it is told otherwise. */
const PACKAGED_SCHEMA = new URL('../../prisma/schema.prisma', import.meta.url)

const algorithms = [
  'EdDSA',
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]

const required = (what: string) => z.string({ error: `is required: ${what}` })
const onOff = z
  .enum(['on', 'off'], { error: 'must be on or off' })
  .transform((text) => text === 'on')
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const integer = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`)
const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    )
const httpUrl = url('http:', 'https:').transform((text) => new URL(text))
const textFile = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    context.addIssue(`cannot be read: ${error instanceof Error ? error.message : error}`)
    return z.NEVER
  }
})
const addresses = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
const trustProxy = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : list.parse(text)))
  .refine(
    (value) =>
      typeof value === 'number'
        ? value >= 1 && value <= 10
        : value.length > 0 && value.every((part) => addresses.safeParse(part).success),
    'must be off, a number of proxies from 1 to 10, or their addresses (10.0.0.0/8), separated by commas',
  )
const origins = list.refine(
  (names) =>
    names.every(
      (name) => URL.canParse(name) && new URL(name).origin === name && !name.includes('*'),
    ),
  'must be origins as browsers send them, such as https://app.example.com, separated by commas',
)
/** `claim=value`, in which `*` stands for any text; a value of nothing else would let everything in. */
const subjects = list
  .refine(
    (marks) => marks.length > 0 && marks.every((mark) => /^[^=*]+=.*[^*]/.test(mark)),
    'must be a claim and its value, such as gty=client-credentials or sub=*@clients, separated by commas',
  )
  .transform((marks) =>
    marks.map((mark) => ({
      claim: mark.slice(0, mark.indexOf('=')),
      pattern: mark.slice(mark.indexOf('=') + 1),
    })),
  )
const jsonFile = z.string().transform((path, context): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    context.addIssue(`cannot be read as JSON: ${error instanceof Error ? error.message : error}`)
    return z.NEVER
  }
})

const variables = z.object({
  DATABASE_URL: required('the PostgreSQL database of Better Auth').pipe(
    url('postgresql:', 'postgres:'),
  ),
  DATABASE_LISTEN_URL: url('postgresql:', 'postgres:').optional(),
  DATABASE_SCHEMA: z.string().default('public'),
  PRISMA_SCHEMA_FILE: textFile.prefault(fileURLToPath(PACKAGED_SCHEMA)),
  DATABASE_POOL_SIZE: integer(1, 1000).default(10),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(1, 600_000).default(2000),
  DATABASE_PREPARED_STATEMENTS: onOff.default(true),
  REDIS_URL: z
    .string()
    .refine(
      (text) =>
        text.split(',').every((node) => url('redis:', 'rediss:').safeParse(node.trim()).success),
      'must be redis:// or rediss:// URLs, separated by commas',
    )
    .optional(),
  REDIS_KEY_PREFIX: z.string().default('identity:'),
  REDIS_TIMEOUT_MS: integer(1, 60_000).default(250),
  AUTH_ISSUER: required(
    "the issuer of Better Auth's tokens, by default the origin of its base URL",
  ),
  AUTH_AUDIENCE: z.string().optional(),
  AUTH_ALGORITHMS: list
    .refine(
      (names) => names.length > 0 && names.every((name) => algorithms.includes(name)),
      `must be some of ${algorithms.join(',')}`,
    )
    .default(['EdDSA', 'ES256', 'RS256']),
  AUTH_JWKS: z.literal('database').or(httpUrl).default('database'),
  AUTH_SESSIONS: onOff.default(false),
  BETTER_AUTH_SECRET: z.string().optional(),
  AUTH_COOKIE_PREFIX: z.string().default('better-auth'),
  SERVICE_ISSUER: z.string().optional(),
  SERVICE_AUDIENCE: z.string().optional(),
  SERVICE_JWKS_URL: httpUrl.optional(),
  SERVICE_SUBJECTS: subjects.optional(),
  ACCESS_CONTROL_FILE: jsonFile.optional(),
  DYNAMIC_ACCESS_CONTROL: onOff.default(false),
  PERMISSION_CACHE_TTL_SECONDS: integer(1, 300).default(300),
  PERMISSION_EVENTS: z
    .enum(['redis', 'postgres', 'off'], { error: 'must be redis, postgres or off' })
    .default('off'),
  ORGANIZATION_CREATOR_ROLE: z.string().default('owner'),
  PLATFORM_ADMIN_ROLES: list.default(['admin']),
  BETTER_AUTH_URL: httpUrl.optional(),
  FEDERATION: onOff.default(false),
  HOST: z.string().default('0.0.0.0'),
  PORT: integer(0, 65_535).default(4000),
  NODE_ENV: z.string().default('development'),
  GRAPHIQL: onOff.optional(),
  INTROSPECTION: onOff.optional(),
  // Shorter than the silence after which a connection is cut off.
  REQUEST_TIMEOUT_MS: integer(1, 25_000).default(10_000),
  LIMIT_CONCURRENCY: integer(1, 100_000).default(1000),
  SHUTDOWN_GRACE_MS: integer(0, 600_000).default(0),
  METRICS_PORT: integer(0, 65_535).optional(),
  TRUST_PROXY: z.literal('off').or(trustProxy).default('off'),
  LIMIT_DEPTH: integer(1, 1000).default(12),
  LIMIT_ALIASES: integer(1, 100_000).default(100),
  LIMIT_DIRECTIVES: integer(1, 100_000).default(50),
  LIMIT_TOKENS: integer(1, 100_000).default(2000),
  LIMIT_COST: integer(1, 10_000_000).default(10_000),
  LIMIT_BODY_BYTES: integer(1, 100_000_000).default(100 * 1024),
  RATE_LIMIT_PER_MINUTE: z.literal('off').or(integer(1, 10_000_000)).default('off'),
  CORS_ORIGINS: origins.default([]),
  LIMIT_BATCH: integer(1, 1000).default(10),
  TRUSTED_DOCUMENTS_FILE: jsonFile
    .pipe(
      z.record(z.string(), z.string('is no text'), {
        error: 'must be a JSON object of documents by their hashes',
      }),
    )
    .optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

/** What variables demand of each other, said of the text given, so that it is said together with everything else. */
function problemsBetween(given: Readonly<Record<string, string | undefined>>): string[] {
  const { SERVICE_ISSUER, SERVICE_AUDIENCE, SERVICE_JWKS_URL } = given
  const services = [SERVICE_ISSUER, SERVICE_AUDIENCE, SERVICE_JWKS_URL, given.SERVICE_SUBJECTS]
  const missing = (name: string, value: string | undefined) =>
    value === undefined && services.some((other) => other !== undefined)
      ? [`${name}: is required when services are accepted`]
      : []
  return [
    ...(given.AUTH_SESSIONS === 'on' && given.BETTER_AUTH_SECRET === undefined
      ? ['BETTER_AUTH_SECRET: is required with AUTH_SESSIONS=on']
      : []),
    ...(given.PERMISSION_EVENTS === 'redis' && given.REDIS_URL === undefined
      ? ['REDIS_URL: is required with PERMISSION_EVENTS=redis']
      : []),
    ...(given.GRAPHIQL === 'on' && given.TRUSTED_DOCUMENTS_FILE !== undefined
      ? ['GRAPHIQL: cannot be on with TRUSTED_DOCUMENTS_FILE, which lists no document of GraphiQL']
      : []),
    ...missing('SERVICE_ISSUER', SERVICE_ISSUER),
    ...missing('SERVICE_AUDIENCE', SERVICE_AUDIENCE),
    ...missing('SERVICE_JWKS_URL', SERVICE_JWKS_URL),
    ...(given.FEDERATION === 'on' && given.TRUSTED_DOCUMENTS_FILE !== undefined
      ? [
          'TRUSTED_DOCUMENTS_FILE: is of no use with FEDERATION=on: routers send documents of their own',
        ]
      : []),
    ...(SERVICE_ISSUER !== undefined && SERVICE_ISSUER === given.AUTH_ISSUER
      ? ['SERVICE_ISSUER: must differ from AUTH_ISSUER, or users could carry scopes']
      : []),
  ]
}

function toConfig(env: z.infer<typeof variables>): Config {
  const production = env.NODE_ENV === 'production'
  return Object.freeze({
    database: {
      url: env.DATABASE_URL,
      schema: env.DATABASE_SCHEMA,
      prismaSchema: env.PRISMA_SCHEMA_FILE,
      listenUrl: env.DATABASE_LISTEN_URL ?? env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
      statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      preparedStatements: env.DATABASE_PREPARED_STATEMENTS,
    },
    redis:
      env.REDIS_URL === undefined
        ? null
        : { url: env.REDIS_URL, keyPrefix: env.REDIS_KEY_PREFIX, timeoutMs: env.REDIS_TIMEOUT_MS },
    auth: {
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE ?? env.AUTH_ISSUER,
      algorithms: env.AUTH_ALGORITHMS,
      jwks: env.AUTH_JWKS,
      sessions:
        env.AUTH_SESSIONS && env.BETTER_AUTH_SECRET !== undefined
          ? { secret: env.BETTER_AUTH_SECRET, cookiePrefix: env.AUTH_COOKIE_PREFIX }
          : null,
    },
    service:
      env.SERVICE_ISSUER === undefined ||
      env.SERVICE_AUDIENCE === undefined ||
      env.SERVICE_JWKS_URL === undefined
        ? null
        : {
            issuer: env.SERVICE_ISSUER,
            audience: env.SERVICE_AUDIENCE,
            jwksUrl: env.SERVICE_JWKS_URL,
            subjects: env.SERVICE_SUBJECTS ?? null,
          },
    permissions: {
      accessControl: env.ACCESS_CONTROL_FILE ?? null,
      dynamic: env.DYNAMIC_ACCESS_CONTROL,
      ttlSeconds: env.PERMISSION_CACHE_TTL_SECONDS,
      events: env.PERMISSION_EVENTS,
      creatorRole: env.ORGANIZATION_CREATOR_ROLE,
    },
    platformAdminRoles: env.PLATFORM_ADMIN_ROLES,
    federation: env.FEDERATION,
    betterAuthUrl: env.BETTER_AUTH_URL ?? null,
    http: {
      host: env.HOST,
      port: env.PORT,
      graphiql: env.GRAPHIQL ?? (!production && env.TRUSTED_DOCUMENTS_FILE === undefined),
      introspection: env.INTROSPECTION ?? !production,
      corsOrigins: env.CORS_ORIGINS,
      timeoutMs: env.REQUEST_TIMEOUT_MS,
      mostUnderWay: env.LIMIT_CONCURRENCY,
      shutdownGraceMs: env.SHUTDOWN_GRACE_MS,
      metricsPort: env.METRICS_PORT ?? null,
      trustProxy: env.TRUST_PROXY,
      batchLimit: env.LIMIT_BATCH,
      trustedDocuments: env.TRUSTED_DOCUMENTS_FILE ?? null,
    },
    limits: {
      document: {
        depth: env.LIMIT_DEPTH,
        aliases: env.LIMIT_ALIASES,
        directives: env.LIMIT_DIRECTIVES,
        tokens: env.LIMIT_TOKENS,
        cost: env.LIMIT_COST,
      },
      bodyBytes: env.LIMIT_BODY_BYTES,
      ratePerMinute: env.RATE_LIMIT_PER_MINUTE === 'off' ? null : env.RATE_LIMIT_PER_MINUTE,
    },
    logLevel: env.LOG_LEVEL,
  })
}
