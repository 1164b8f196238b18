import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../introspection/migrate.ts'
import { createProject, type Project } from '../introspection/project.ts'
import { type Ended, runCli } from '../support/cli.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { need } from './support/need.ts'

/* Every usual mistake, made for real: each command that meets it ends with one clear sentence and not with 0. */

let identity: Identity
let redis: RedisProcess
let folder: Project
let numeric: Database

beforeAll(async () => {
  await need('faketime')
  identity = await startIdentity()
  const ada = await identity.signUp('Ada')
  await ada.jwt()
  await identity.createOrganization(ada, 'Acme')
  redis = await startRedisProcess({ settings: ['--requirepass', 'right'] })
  folder = await createProject()
  numeric = await createDatabase('empty')
  await migrate(numeric.url, { advanced: { database: { generateId: 'serial' } } })
  await numeric.sql('alter table "user" drop constraint user_pkey cascade, alter id drop identity')
  await numeric.sql('alter table "user" alter id type numeric')
})

afterAll(async () => {
  await redis.kill()
  await numeric.drop()
  await folder.remove()
  await identity.stop()
})

type Environment = Readonly<Record<string, string>>

const usual = (): Record<string, string> => ({
  DATABASE_URL: identity.readOnlyUrl,
  AUTH_ISSUER: identity.betterAuth.issuer,
})

function changed(change: (url: URL) => void): Environment {
  const url = new URL(identity.readOnlyUrl)
  change(url)
  return { DATABASE_URL: url.href }
}

async function accessControl(content: string): Promise<Environment> {
  await writeFile(folder.schemaPath, content)
  return { ACCESS_CONTROL_FILE: folder.schemaPath }
}

interface Mistake {
  /** What is changed in the environment; it may change the database as well, and `undo` brings it back. */
  readonly make: () => Environment | Promise<Environment>
  readonly undo?: string
  readonly without?: string
  readonly sentence: RegExp
  readonly commands: readonly ('serve' | 'doctor' | 'introspect')[]
  /** Of `serve`. */
  readonly code?: 1 | 2
}

const mistakes: Readonly<Record<string, Mistake>> = {
  'a wrong password': {
    make: () => changed((url) => (url.password = 'wrong')),
    sentence:
      /^PostgreSQL at 127\.0\.0\.1:\d+ refuses the password of the role "\w+": check DATABASE_URL\.$/,
    commands: ['doctor', 'introspect'],
  },
  'no such database': {
    make: () => changed((url) => (url.pathname = '/nothing')),
    sentence: /^PostgreSQL at \S+ has no database "nothing": check DATABASE_URL\.$/,
    commands: ['doctor', 'introspect'],
  },
  'no such host': {
    make: () => changed((url) => (url.hostname = 'nosuch.invalid')),
    sentence: /^There is no host "nosuch\.invalid": check DATABASE_URL\.$/,
    commands: ['doctor', 'introspect'],
  },
  'a server that is not there': {
    make: () => changed((url) => (url.port = '1')),
    sentence: /^Nothing listens at 127\.0\.0\.1:1: check DATABASE_URL\.$/,
    commands: ['doctor', 'introspect'],
  },
  'a missing table': {
    make: async () => {
      await identity.sql('alter table teams rename to crews')
      return {}
    },
    undo: 'alter table crews rename to teams',
    sentence: /^[Tt]he table "teams" is missing: run the command introspect .*\.$/,
    commands: ['serve', 'doctor'],
    code: 1,
  },
  'a renamed column': {
    make: async () => {
      await identity.sql('alter table members rename column organization_id to org_id')
      return {}
    },
    undo: 'alter table members rename column org_id to organization_id',
    sentence:
      /^[Tt]he column "members"\."organization_id" is missing: run the command introspect .*\.$/,
    commands: ['serve', 'doctor'],
    code: 1,
  },
  'no grant on members': {
    make: async () => {
      const role = new URL(identity.readOnlyUrl).username
      await identity.sql(`revoke all on members from ${role}`)
      return {}
    },
    undo: 'grant select (id, organization_id, user_id, role, created_at) on members to ROLE',
    sentence: /^[Tt]he role "\w+" may not read the table "members": .* doctor --sql prints\.$/,
    commands: ['serve', 'doctor'],
    code: 1,
  },
  'ids that are fractions': {
    make: () => ({ DATABASE_URL: numeric.url }),
    sentence:
      /^- User\.id: the column "user"\."id" is of Prisma type Decimal Decimal; it must be .*\.$/,
    commands: ['introspect'],
  },
  'an empty jwks': {
    make: async () => {
      await identity.sql('create table kept as table jwks')
      await identity.sql('delete from jwks')
      return {}
    },
    undo: 'insert into jwks table kept; drop table kept',
    sentence: /^The jwks table has no usable key, .*\.$/,
    commands: ['doctor'],
  },
  'Redis with a wrong password': {
    make: () => ({ REDIS_URL: redis.url.replace('redis://', 'redis://:wrong@') }),
    sentence: /^Redis at 127\.0\.0\.1:\d+ refuses the user or the password of REDIS_URL: .*\.$/,
    commands: ['doctor'],
  },
  'an access control file that is no JSON': {
    make: () => accessControl('roles: {}'),
    sentence: /^ACCESS_CONTROL_FILE: cannot be read as JSON: .*$/,
    commands: ['serve', 'doctor'],
    code: 2,
  },
  'an access control file that is malformed': {
    make: () => accessControl('{ "roles": { "owner": ["leave:approve"] } }'),
    sentence: /^ACCESS_CONTROL_FILE: The role definitions are malformed: roles\.owner: .*\.$/,
    commands: ['serve', 'doctor'],
    code: 2,
  },
  'an access control file whose roles match no member': {
    make: () => accessControl('{ "roles": { "boss": { "leave": ["approve"] } } }'),
    sentence:
      /^No member holds a role of ACCESS_CONTROL_FILE \("boss"\), .* command access-control\.$/,
    commands: ['doctor'],
  },
  'no AUTH_ISSUER': {
    make: () => ({}),
    without: 'AUTH_ISSUER',
    sentence: /^AUTH_ISSUER: is required: .*$/,
    commands: ['serve', 'doctor'],
    code: 2,
  },
  'equal issuers of users and services': {
    make: () => ({
      SERVICE_ISSUER: identity.betterAuth.issuer,
      SERVICE_AUDIENCE: 'gateway',
      SERVICE_JWKS_URL: 'https://services.example.com/jwks',
    }),
    sentence: /^SERVICE_ISSUER: must differ from AUTH_ISSUER, .*$/,
    commands: ['serve', 'doctor'],
    code: 2,
  },
}

/** What no sentence has: stacks, the drivers' own texts, secrets. */
const NOISE =
  /^\s+at |Error:|PrismaClient|FATAL|ECONN|ENOTFOUND|getaddrinfo|errorMissingColumn|wrong/m

async function run(command: string, environment: Environment): Promise<Ended> {
  const words = command === 'introspect' ? [command, '--output', folder.schemaPath] : [command]
  return runCli(command === 'doctor' ? [command, '--json'] : words, {
    NODE_ENV: 'production',
    ...environment,
    HOST: '127.0.0.1',
    PORT: '0',
  })
}

function sentencesOf(command: string, { stdout, stderr }: Ended): readonly string[] {
  if (command === 'serve')
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string })
      .filter(({ level }) => level === 'fatal')
      .flatMap(({ msg }) => msg.split('\n'))
  if (command !== 'doctor')
    return stderr
      .trim()
      .split('\n')
      .filter((line) => !/^The tables in/.test(line))
  const { findings } = JSON.parse(stdout) as {
    findings: readonly { level: string; message: string }[]
  }
  return findings.filter(({ level }) => level === 'error').map(({ message }) => message)
}

describe.each(Object.entries(mistakes))('%s', (_, mistake) => {
  test(`is one sentence of ${mistake.commands.join(' and ')}`, async () => {
    const environment = { ...usual(), ...(await mistake.make()) }
    if (mistake.without) delete environment[mistake.without]
    try {
      for (const command of mistake.commands) {
        const ended = await run(command, environment)
        const told = sentencesOf(command, ended)
        expect(told, command).toEqual([expect.stringMatching(mistake.sentence)])
        expect(told.join('\n'), command).not.toMatch(NOISE)
        expect(ended.code, command).toBe(command === 'serve' ? mistake.code : 1)
        if (command !== 'introspect') expect(ended.stderr, command).toBe('')
      }
    } finally {
      const role = new URL(identity.readOnlyUrl).username
      if (mistake.undo) await identity.sql(mistake.undo.replace('ROLE', role))
    }
  })
})

test('a clock that is five minutes off is one sentence of doctor', async () => {
  const environment = {
    ...usual(),
    LD_PRELOAD: 'libfaketime.so.1',
    LD_LIBRARY_PATH: '/usr/lib/x86_64-linux-gnu/faketime:/usr/lib/aarch64-linux-gnu/faketime',
    FAKETIME: '+5m',
    DONT_FAKE_MONOTONIC: '1',
  }
  const ended = await run('doctor', environment)
  expect(sentencesOf('doctor', ended)).toEqual([
    expect.stringMatching(
      /^This machine's clock is (299|30\d)\.\d s ahead of the database's, .*synchronise.*\.$/,
    ),
  ])
  expect(ended.code).toBe(1)
})

test('without a mistake doctor ends with 0, and warns without failing', async () => {
  const ended = await run('doctor', usual())
  expect(sentencesOf('doctor', ended)).toEqual([])
  expect(ended.code).toBe(0)
})
