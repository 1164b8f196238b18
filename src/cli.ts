#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import {
  createGateway,
  printGraph,
  printOwnerSql,
  printPermissions,
  readLayout,
  toAccessControl,
} from './app.ts'
import { type Config, ConfigError, loadConfig, loadNames } from './config.ts'
import type { Demo, DemoGatewaySettings } from './demo/demo.ts'
import { startMetricsServer } from './http/metrics-server.ts'
import { startServer } from './server.ts'
import { createLogger, type Logger } from './telemetry.ts'

const USAGE = `Usage: identity-gateway <command>

  serve        Serve the graph over HTTP, configured by the environment (see README.md).
  demo         Start everything with sample people on this machine: PostgreSQL, Better Auth, the gateway.
                 --json   print one line of JSON for programs, and nothing else, on standard output
  introspect   Read how DATABASE_URL names Better Auth's tables; write prisma/schema.prisma, which serve reads.
                 --auth      the module that exports your Better Auth, as auth or by default, to ask it for names
                 --overrides a JSON file with names of tables and columns that are not recognised
                 --fields    a JSON file with further fields to show, and who sees them
  doctor       Print the SQL with which the owner of the database lets the gateway's role read what it reads,
               and the triggers that tell gateways of changes.
                 --role   the name of that role (identity_gateway)
  schema       Print the graph in GraphQL's schema language.
                 --federation   as a subgraph of Apollo Federation 2
                 --authorization   with --federation: also @authenticated and @requiresScopes
                 --stitching   with the stitching directives of GraphQL Tools
  access-control <module>
               Print the content of ACCESS_CONTROL_FILE from the module that exports Better Auth's roles.
                 --export the name they are exported by (roles)
  permissions <file>
               Print TypeScript that declares the permissions of an access control file, for typed clients.

Ends with 0 when all went well, 1 when something failed, 2 when it was called wrongly.
`

interface Options {
  readonly json: boolean
  readonly federation: boolean
  readonly authorization: boolean
  readonly stitching: boolean
  readonly role: string | undefined
  readonly export: string | undefined
  readonly auth: string | undefined
  readonly overrides: string | undefined
  readonly fields: string | undefined
  readonly operands: readonly string[]
}

const commands: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  serve,
  demo,
  introspect,
  doctor,
  schema,
  'access-control': accessControl,
  permissions,
}

/** Which command takes which option, and how many operands. */
const optionsOf: Readonly<Record<string, string>> = {
  json: 'demo',
  federation: 'schema',
  authorization: 'schema',
  stitching: 'schema',
  role: 'doctor',
  export: 'access-control',
  auth: 'introspect',
  overrides: 'introspect',
  fields: 'introspect',
}
const operandsOf: Readonly<Record<string, number>> = { 'access-control': 1, permissions: 1 }

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  const [name = '', ...operands] = positionals
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  const misplaced = Object.entries(optionsOf).some(
    ([option, owner]) => Object.hasOwn(values, option) && owner !== name,
  )
  if (!command || misplaced || operands.length !== (operandsOf[name] ?? 0)) fail(USAGE, 2)
  const { json = false, federation = false, authorization = false, stitching = false } = values
  const { role, export: exported, auth, overrides, fields } = values
  await command({
    json,
    federation,
    authorization,
    stitching,
    role,
    export: exported,
    auth,
    overrides,
    fields,
    operands,
  })
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        federation: { type: 'boolean' },
        authorization: { type: 'boolean' },
        stitching: { type: 'boolean' },
        role: { type: 'string' },
        export: { type: 'string' },
        auth: { type: 'string' },
        overrides: { type: 'string' },
        fields: { type: 'string' },
      },
    })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`, 2)
  }
}

async function serve(): Promise<void> {
  const config = loadConfig(process.env)
  const log = createLogger(config.logLevel)
  const starting = startServing(config, log)
  stopOnSignal(starting)
  const { url } = await starting
  if (!config.redis) log.info('REDIS_URL is not set: permissions are cached in this process.')
  log.info({ url }, 'listening')
}

async function startServing(config: Config, log: Logger) {
  const gateway = createGateway(config, { log })
  const { host, metricsPort } = config.http
  const metrics =
    gateway.metrics && metricsPort !== null
      ? await startMetricsServer(gateway.metrics, { host, port: metricsPort })
      : null
  if (metrics) log.info({ port: metrics.port }, 'metrics')
  const server = await startServer(gateway, config.http)
  const stop = async () => {
    await server.stop()
    await metrics?.stop()
  }
  return { url: server.url, stop }
}

async function demo({ json }: Options): Promise<void> {
  const { startDemo } = await whereInstalled(import('./demo/demo.ts'), 'demo')
  const { toJsonLine, toText } = await import('./demo/print.ts')
  const starting = startDemo({
    port: process.env.PORT ? Number(process.env.PORT) : undefined,
    redisUrl: process.env.REDIS_URL || undefined,
    layout: readLayout(loadNames(process.env)),
    log: (line) => process.stderr.write(`${line}\n`),
    startGateway: startDemoGateway,
  })
  stopOnSignal(starting)
  const running: Demo = await starting
  process.stdout.write(json ? `${toJsonLine(running)}\n` : toText(running))
}

async function startDemoGateway(settings: DemoGatewaySettings) {
  const environment = loadConfig({
    ...process.env,
    DATABASE_URL: settings.databaseUrl,
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
  const config: Config = {
    ...environment,
    permissions: { ...environment.permissions, accessControl: settings.accessControl },
  }
  // Standard output is for what the reader needs; only trouble is logged, beside it.
  const log = createLogger(process.env.LOG_LEVEL || 'warn', process.stderr)
  const server = await startServer(
    createGateway(config, { log, graphiqlCallers: settings.callers }),
    {
      ...config.http,
      hosts: ['127.0.0.1', 'localhost'],
    },
  )
  return { url: `${server.url}/graphql`, stop: server.stop }
}

/** What a command needs and nobody else is no part of the npm package, or of its dependencies. */
async function whereInstalled<Module>(loading: Promise<Module>, command: string): Promise<Module> {
  try {
    return await loading
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'))
      throw error
    throw new Error(
      `This installation lacks what ${command} needs: run it where the repository is cloned, \`npm ci && npm run ${command}\`.`,
      { cause: error },
    )
  }
}

async function introspect({ auth, overrides, fields }: Options): Promise<void> {
  const { introspect } = await whereInstalled(import('./introspection/introspect.ts'), 'introspect')
  const { DATABASE_URL, DATABASE_SCHEMA } = process.env
  if (!DATABASE_URL) fail('DATABASE_URL is required: the PostgreSQL database of Better Auth.\n', 2)
  const report = await introspect({
    databaseUrl: DATABASE_URL,
    databaseSchema: DATABASE_SCHEMA || 'public',
    schemaPath: 'prisma/schema.prisma',
    authPath: auth,
    overridesPath: overrides,
    fieldsPath: fields,
    verify: (prismaSchema) => void printGraph(readLayout({ prismaSchema })),
  })
  // The module of --auth may hold connections open.
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`, () => process.exit())
}

async function doctor({ role = 'identity_gateway' }: Options): Promise<void> {
  const names = loadNames(process.env)
  process.stdout.write(printOwnerSql(readLayout(names), { role, schema: names.schema }))
}

async function schema({ federation, authorization, stitching }: Options): Promise<void> {
  if (federation && stitching) fail(USAGE, 2)
  if (authorization && !federation) fail(USAGE, 2)
  const form = authorization ? 'federation with authorization' : 'federation'
  process.stdout.write(
    printGraph(
      readLayout(loadNames(process.env)),
      stitching ? 'stitching' : federation ? form : 'plain',
    ),
  )
}

async function accessControl({ operands: [module = ''], export: name = 'roles' }: Options) {
  const exported: unknown = (await import(pathToFileURL(module).href))[name]
  if (exported === undefined) throw new Error(`${module} exports nothing by the name ${name}.`)
  process.stdout.write(`${JSON.stringify(toAccessControl(exported), null, 2)}\n`)
}

async function permissions({ operands: [file = ''] }: Options) {
  process.stdout.write(printPermissions(JSON.parse(await readFile(file, 'utf8'))))
}

/** Repeated signals change nothing: npm passes on the one that the terminal has sent already. */
function stopOnSignal(starting: Promise<{ stop(): Promise<void> }>): void {
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    await starting.then((running) => running.stop()).catch(report)
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)
}

function report(error: unknown): void {
  const told = error instanceof ConfigError || !(error instanceof Error)
  process.stderr.write(`${told ? error : error.message}\n`)
  process.exitCode = error instanceof ConfigError ? 2 : 1
}

function fail(message: string, exitCode: number): never {
  process.stderr.write(message)
  process.exit(exitCode)
}

await main().catch((error) => {
  report(error)
  process.exit()
})
