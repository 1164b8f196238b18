import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { definitionOf } from '../../src/doctor/checks/indexes.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { type NeededIndex, neededIndexes } from '../../src/doctor/index-list.ts'
import { readSchema } from '../../src/introspection/introspect.ts'
import { parseLayout } from '../../src/layout/schema-file.ts'
import { indexedWords as words } from '../../src/layout/words.ts'
import { allPlugins, migrate } from '../introspection/migrate.ts'
import { createProject } from '../introspection/project.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { pageText } from '../support/documentation.ts'
import { layout } from '../support/layout.ts'

let database: Database
let url: string

beforeAll(async () => {
  database = await createDatabase()
  url = await createReadOnlyRole(database.url, layout)
})

afterAll(async () => {
  await database.drop()
  await asSuperuser(`drop role ${new URL(url).username}`)
})

async function missing(environment: Readonly<Record<string, string>> = { DATABASE_URL: url }) {
  const { findings } = await examine({ AUTH_ISSUER: 'https://auth.example.com', ...environment })
  return findings.filter(({ check, level }) => check === 'indexes' && level !== 'info')
}

const about = async (columns: string) =>
  (await missing()).filter(({ sql }) => sql?.endsWith(`(${columns});`))

test('docs/indexes.md lists the same', () => {
  const rows = pageText('docs/indexes.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const listed = rows.flatMap((row) => {
    const [, indexes = '', reason = ''] = row.split('|')
    return [...indexes.matchAll(/`([^`]+)`/g)].map(([, index]) => `${index}: ${reason.trim()}`)
  })
  expect(listed).toEqual(neededIndexes.map((needed) => `${inWords(needed)}: ${needed.reason}`))
})

/** As docs/indexes.md writes it, in the house layout, in whose style the tables of plug-ins are named that it lacks. */
function inWords(needed: NeededIndex): string {
  const snake = (name: string) => name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase()
  const table = layout[needed.model] ?? {
    name: needed.model === 'Apikey' ? 'api_keys' : `${snake(needed.model)}s`,
    columns: Object.fromEntries(
      needed.fields.map((field) => [field, { name: snake(field), type: 'text' as const }]),
    ),
  }
  const definition = definitionOf(needed, table)?.replaceAll(/"(?!default")(\w+)"/g, '$1')
  return `${table.name} ${definition}`
}

describe('what serves as well', () => {
  const made: string[] = []
  afterEach(async () => {
    for (const name of made.splice(0)) await database.sql(`drop index ${name}`)
  })
  const create = async (definition: string) => {
    const name = `made_${made.length}`
    made.push(name)
    await database.sql(`create index ${name} on ${definition}`)
  }
  const pages = '"organization_id", "created_at", "id"'

  test.each([
    [pages, 'members (organization_id, created_at desc, id desc)', 0],
    ['"created_at", "id"', 'users (created_at desc, id desc, name)', 0],
    ['"organization_id", "user_id"', 'members (user_id, organization_id)', 0],
    ['lower("name") text_pattern_ops', 'users (lower(name) collate "C")', 0],
    ['lower("name") text_pattern_ops', 'users (lower(name))', 1],
    ['lower("name") text_pattern_ops', 'users (name text_pattern_ops)', 1],
    [
      `"team_id", COALESCE("created_at", 'epoch'::timestamptz), "id"`,
      'team_members (team_id, coalesce(created_at, to_timestamp(0)), id)',
      0,
    ],
    [
      `"team_id", COALESCE("created_at", 'epoch'::timestamptz), "id"`,
      'team_members (team_id, created_at, id)',
      1,
    ],
    ['"user_id", "expires_at"', 'sessions (expires_at, user_id)', 0],
    ['"created_at", "id"', 'users (created_at, id desc)', 1],
    ['"created_at", "id"', 'users (id, created_at)', 1],
    ['"created_at", "id"', 'users (created_at)', 1],
    ['"created_at", "id"', 'users (created_at, id) where banned', 1],
    ['"created_at", "id"', 'users using brin (created_at, id)', 1],
    [
      `${words('"name"')}, ${words('"email"')}`,
      `users using gin (${words('email')}, ${words('name')})`,
      0,
    ],
    [`${words('"name"')}, ${words('"email"')}`, `users using gin (${words('name')})`, 1],
    [
      `${words('"name"')}, ${words('"email"')}`,
      "users using gin (to_tsvector('simple', name), to_tsvector('simple', email))",
      1,
    ],
  ])('(%s) with an index on %s: %i missing', async (columns, definition, count) => {
    const before = await about(columns)
    expect(before.length).toBeGreaterThan(0)
    await create(definition)
    const ofTable = `"public"."${definition.split(' ')[0]}"`
    const after = (await about(columns)).filter(({ sql }) => sql?.includes(ofTable))
    expect(after).toHaveLength(count)
  })

  test('an index of Better Auth’s own that is gone is missed', async () => {
    expect(await about('"user_id"')).toEqual([])
    await database.sql('drop index members_user_id_idx')
    expect(await about('"user_id"')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('before 1.4') }),
    ])
    await database.sql('create index members_user_id_idx on members (user_id)')
  })
})

test('none is missing once the SQL has been run', async () => {
  const findings = await missing()
  expect(findings).toHaveLength(19)
  for (const { sql } of findings) {
    expect(sql).toMatch(/^CREATE INDEX CONCURRENTLY ON /)
    await database.sql(sql ?? '')
  }
  expect(await missing()).toEqual([])
})

test('in another layout the real names are used, and absent columns are not asked for', async () => {
  const other = await createDatabase('empty')
  await migrate(other.url, { plugins: allPlugins.filter(({ id }) => id !== 'username') })
  const { schema } = await readSchema({ databaseUrl: other.url, databaseSchema: 'public' })
  const readOnlyUrl = await createReadOnlyRole(other.url, parseLayout(schema))
  const project = await createProject()
  await writeFile(project.schemaPath, schema)
  const environment = { DATABASE_URL: readOnlyUrl, PRISMA_SCHEMA_FILE: project.schemaPath }
  const findings = await missing(environment)
  expect(findings.map(({ sql }) => sql)).toContain(
    'CREATE INDEX CONCURRENTLY ON "public"."member" ("organizationId", "createdAt", "id");',
  )
  expect(findings.filter(({ sql }) => sql?.includes('username'))).toEqual([])
  for (const { sql } of findings) await other.sql(sql ?? '')
  expect(await missing(environment)).toEqual([])
  await project.remove()
  await other.drop()
  await asSuperuser(`drop role ${new URL(readOnlyUrl).username}`)
})
