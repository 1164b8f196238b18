import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { introspect } from '../../src/introspection/introspect.ts'
import { migrate } from '../introspection/migrate.ts'
import { createProject, type Project } from '../introspection/project.ts'
import { runCli } from '../support/cli.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'
import { startPoolerImitation } from '../support/pooler-imitation.ts'
import { createReader } from './layouts/prepare.ts'
import { type Case, cases } from './untouched/cases.ts'
import { Watch, type Watched } from './untouched/watch.ts'

/*
 * The commands that look at a database, as its owner, who may do everything: nothing is created, changed or locked,
 * whatever the database, the role or the URL says, and nothing is tried that would.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const committed = join(root, 'prisma/schema.prisma')

/** A database of its own and what the commands are told of it. */
async function prepare(it: Case) {
  const database = await createDatabase(it.migrated ? 'empty' : 'cast')
  const project = await createProject()
  const watch = await Watch.begin(database)
  onTestFinished(async () => {
    await watch.end()
    await Promise.all([project.remove(), database.drop()])
  })
  if (typeof it.migrated === 'object') await migrate(database.url, it.migrated)
  if (it.sql) await watch.sql(it.sql)
  const address = it.reads ? await readerOf(database, watch) : database.url
  const url = it.parameters ? `${address}?${it.parameters}` : address
  return { database, watch, project, url: it.pooler ? await throughPooler(url, it.pooler) : url }
}

/** Its role is dropped after the database. */
async function readerOf({ url }: Database, watch: Watch): Promise<string> {
  const reader = await createReader(
    { sql: (text) => watch.sql(text), url },
    { layout: () => layout },
  )
  readers.push(reader.role)
  return reader.url
}

const readers: string[] = []
afterAll(async () => {
  for (const role of readers) await asSuperuser(`drop role ${role}`)
})

async function throughPooler(url: string, name: NonNullable<Case['pooler']>): Promise<string> {
  const pooler = await startPoolerImitation(name)
  onTestFinished(pooler.stop)
  return pooler.through(url)
}

/** All of doctor's checks of PostgreSQL. */
function environmentOf(url: string, { schema = 'public' }: Case, schemaPath: string) {
  return {
    DATABASE_URL: url,
    DATABASE_SCHEMA: schema,
    PRISMA_SCHEMA_FILE: schemaPath,
    AUTH_ISSUER: 'https://auth.example.com',
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: 'a secret of at least thirty-two characters',
    DYNAMIC_ACCESS_CONTROL: 'on',
    PERMISSION_EVENTS: 'postgres',
  }
}

function expectUntouched({ counted, rows, tried }: Watched): void {
  expect(tried).toEqual([])
  expect(rows[1]).toEqual(rows[0])
  expect(counted[1]).toEqual(counted[0])
}

test.each(Object.entries(cases))('%s', async (_, it) => {
  const { watch, project, url } = await prepare(it)
  const overridesPath = await writeOverrides(project, it.overrides)
  const { schemaPath } = project
  const asked = {
    databaseUrl: url,
    databaseSchema: it.schema ?? 'public',
    schemaPath,
    overridesPath,
  }
  expectUntouched(
    await watch.during(async () => {
      if (it.refused) await expect(introspect(asked)).rejects.toThrow(it.refused)
      else await introspect(asked)
      const { findings } = await examine(
        environmentOf(url, it, it.refused ? committed : schemaPath),
      )
      expect(findings.filter(({ message }) => message.startsWith('This could not be'))).toEqual([])
    }),
  )
})

async function writeOverrides({ schemaPath }: Project, overrides: object | undefined) {
  if (overrides === undefined) return undefined
  const path = join(dirname(schemaPath), 'overrides.json')
  await writeFile(path, JSON.stringify(overrides))
  return path
}

test('the same of the commands themselves', async () => {
  const { watch, url } = await prepare({})
  const run = (words: readonly string[], schema?: string) =>
    runCli(words, environmentOf(url, schema === undefined ? {} : { schema }, committed))
  const ended: unknown[] = []
  expectUntouched(
    await watch.during(async () => {
      for (const schema of ['public', 'pubic']) {
        const { code, stdout } = await run(['introspect', '--output', '-'], schema)
        ended.push([code, stdout.includes('model User {')])
        const looked = await run(['doctor', '--json'], schema)
        ended.push([looked.code, JSON.parse(looked.stdout).healthy])
      }
    }),
  )
  expect(ended).toEqual([
    [0, true],
    [1, false],
    [1, false],
    [1, false],
  ])
})

test('whoever creates, changes or locks something is found', async () => {
  const { watch, database } = await prepare({})
  const statements = [
    'create table made (id text)',
    `update users set name = 'x'`,
    `comment on table users is 'x'`,
    'begin; lock table users in row share mode',
    'select from users for share',
  ]
  const { tried } = await watch.during(async () => {
    const other = await Watch.begin(database)
    for (const statement of statements) {
      await expect(other.sql(statement)).rejects.toThrow('lock timeout')
      await other.sql('rollback')
    }
    await other.end()
  })
  for (const statement of statements)
    expect(tried).toContainEqual(expect.stringContaining(statement))
  expect(tried).toHaveLength(2 * statements.length)
})
