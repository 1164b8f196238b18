#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { type Config, ConfigError, loadConfig, loadNames } from '../config/config.ts'
import type { Demo, DemoGatewaySettings } from '../demo/demo.ts'
import {
  createGateway,
  printGraph,
  printOwnerSql,
  printPermissions,
  readLayout,
  toAccessControl,
} from '../gateway.ts'
import { startMetricsServer } from '../http/metrics-server.ts'
import { startServer } from '../http/server.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'

const USAGE = `Usage: identity-gateway <command>

  serve        Serve the graph over HTTP, configured by the environment (see README.md).
  demo         Start everything with sample people on this machine: PostgreSQL, Better Auth, the gateway.
                 --json   print one line of JSON for programs, and nothing else, on standard output
  introspect   Read how DATABASE_URL names Better Auth's tables; write prisma/schema.prisma, which serve reads.
                 --auth      the module that exports your Better Auth, as auth or by default, to ask it for names
                 --overrides a JSON file with names of tables and columns that are not recognised
                 --fields    a JSON file with further fields to show, and who sees them
                 --output    where to write it instead; - for standard output
  doctor       Look at everything that serve would use, as serve would, and change nothing; end with 1 when something
               breaks or endangers what the gateway promises.
                 --json   print one JSON document
                 --sql    print no more than the SQL with which the owner of the database lets the gateway's role
                          read what it reads, and the triggers that tell gateways of changes
                 --role   with --sql: the name of that role (identity_gateway)
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

type Options = ReturnType<typeof readArguments>['values']
type Command = (options: Options, operands: readonly string[]) => Promise<void>

const commands: Readonly<Record<string, Command>> = {
  serve,
  demo,
  introspect,
  doctor,
  schema,
  'access-control': accessControl,
  permissions,
}

/** Which commands take which option, and how many operands. */
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  json: ['demo', 'doctor'],
  federation: ['schema'],
  authorization: ['schema'],
  stitching: ['schema'],
  sql: ['doctor'],
  role: ['doctor'],
  output: ['introspect'],
  auth: ['introspect'],
  overrides: ['introspect'],
  fields: ['introspect'],
  export: ['access-control'],
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
    ([option, owners]) => Object.hasOwn(values, option) && !owners.includes(name),
  )
  const pointless = values.role !== undefined && !values.sql
  if (!command || misplaced || pointless || operands.length !== (operandsOf[name] ?? 0))
    fail(USAGE, 2)
  await command(values, operands)
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
        sql: { type: 'boolean' },
        role: { type: 'string' },
        output: { type: 'string' },
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
  // V8 allocates as long-lived what it saw survive while its young generation was still small: rows and entities of the
  // first requests. Ever after, those would stay until old garbage is collected, with all that they refer to.
  setFlagsFromString('--no-allocation-site-pretenuring')
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
  await gateway.verify()
  gateway.start()
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
  const { startDemo } = await whereInstalled(import('../demo/demo.ts'), 'demo')
  const { toJsonLine, toText } = await import('../demo/print.ts')
  const { readSchema } = await import('../introspection/introspect.ts')
  const starting = startDemo({
    port: process.env.PORT ? Number(process.env.PORT) : undefined,
    redisUrl: process.env.REDIS_URL || undefined,
    introspect: async (databaseUrl) => {
      const database = { databaseUrl, databaseSchema: 'public' }
      const { schema: prismaSchema } = await readSchema(database)
      return { prismaSchema, layout: readLayout({ prismaSchema }) }
    },
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
  const config: Config = {
    ...environment,
    database: { ...environment.database, prismaSchema: settings.prismaSchema },
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
      `This installation lacks what ${command} needs: run \`npm ci && npm run ${command}\` in a clone of the repository.`,
      { cause: error },
    )
  }
}

async function introspect(options: Options): Promise<void> {
  const { auth, overrides, fields, output = 'prisma/schema.prisma' } = options
  const introspection = import('../introspection/introspect.ts')
  const { introspect, readSchema } = await whereInstalled(introspection, 'introspect')
  const { DATABASE_URL, DATABASE_SCHEMA } = process.env
  if (!DATABASE_URL) fail('DATABASE_URL is required: the PostgreSQL database of Better Auth.\n', 2)
  const asked = {
    databaseUrl: DATABASE_URL,
    databaseSchema: DATABASE_SCHEMA || 'public',
    authPath: auth,
    overridesPath: overrides,
    fieldsPath: fields,
    verify: (prismaSchema: string) => void printGraph(readLayout({ prismaSchema })),
  }
  const print = (report: object) => `${JSON.stringify(report, null, 2)}\n`
  if (output === '-') {
    const { schema, report } = await readSchema(asked)
    process.stderr.write(print(report))
    await pipe(schema)
  } else await pipe(print(await introspect({ ...asked, schemaPath: output })))
  // The module of --auth may hold connections open.
  process.exit()
}

async function doctor({ json, sql, role = 'identity_gateway' }: Options): Promise<void> {
  if (sql) {
    const names = loadNames(process.env)
    process.stdout.write(printOwnerSql(readLayout(names), { ...names, role }))
    return
  }
  const { examine } = await import('../doctor/doctor.ts')
  const { toJson, toText } = await import('../doctor/print.ts')
  const report = await examine(process.env)
  process.stdout.write(json ? toJson(report) : toText(report))
  process.exitCode = report.healthy ? 0 : 1
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

async function accessControl(
  { export: name = 'roles' }: Options,
  [module = '']: readonly string[],
) {
  const exported: unknown = (await import(pathToFileURL(module).href))[name]
  if (exported === undefined) throw new Error(`${module} exports nothing by the name ${name}.`)
  process.stdout.write(`${JSON.stringify(toAccessControl(exported), null, 2)}\n`)
}

async function permissions(_options: Options, [file = '']: readonly string[]) {
  process.stdout.write(printPermissions(JSON.parse(await readFile(file, 'utf8'))))
}

/** Waits until whoever reads has it. */
function pipe(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
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
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
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
