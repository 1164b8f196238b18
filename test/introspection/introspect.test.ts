import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { introspect } from '../../src/introspection/introspect.ts'
import { layout as committedLayout } from '../../src/repositories/generated/layout.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { allPlugins, migrate } from './migrate.ts'
import { createProject, type Project } from './project.ts'

const committed = readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8')

let database: Database
let project: Project

describe('a database that Better Auth migrated with the house layout', () => {
  beforeAll(async () => {
    database = await createDatabase()
    project = await createProject()
    await run()
  })
  afterAll(clean)

  test('gives exactly the committed schema and the layout generated from it', async () => {
    expect(read()).toBe(committed)
    expect(await project.layout()).toEqual(committedLayout)
  })

  test('gives the same again on a second run', async () => {
    const before = project.generated()
    await run()
    expect(read()).toBe(committed)
    expect(project.generated()).toEqual(before)
  })

  test('leaves secrets out of the schema, the client and the layout', () => {
    const secrets =
      /\b(token|password|\w*access_?token\w*|\w*refresh_?token\w*|id_?token|private_?key|membership_?key|member_?count|backup_?codes|two_?factors?|verifications?|api_?keys?|passkeys?)\b/i
    const code = [...project.generated().values()].map(withoutComments)
    const texts = [read(), ...code]
    expect(texts.length).toBeGreaterThan(15)
    for (const text of texts) expect(text.match(secrets)).toBeNull()
  })
})

describe("Better Auth's own layout", () => {
  beforeAll(async () => {
    database = await createDatabase('empty')
    project = await createProject()
    await migrate(database.url, { plugins: allPlugins })
    await run()
  })
  afterAll(clean)

  test('has the same models and fields, whatever their real names', async () => {
    const layout = await project.layout()
    expect(fieldsOf(layout)).toEqual(fieldsOf(committedLayout))
    expect(layout.TeamMember).toMatchObject({
      name: 'teamMember',
      columns: { teamId: { name: 'teamId' } },
    })
  })

  test('gives the same client types', async () => {
    const house = await createProject()
    const other = await createDatabase()
    await introspect({
      databaseUrl: other.url,
      databaseSchema: 'public',
      schemaPath: house.schemaPath,
    })
    const differing = [...house.generated()].filter(
      ([file, text]) => project.generated().get(file) !== text,
    )
    expect(differing.map(([file]) => file)).toEqual(['internal/class.ts', 'layout.ts'])
    await Promise.all([house.remove(), other.drop()])
  })
})

describe('a database that cannot be served', () => {
  beforeEach(async () => {
    database = await createDatabase('empty')
    project = await createProject()
  })
  afterEach(clean)

  test('without any table, it is refused in a sentence and nothing is written', async () => {
    await expect(run()).rejects.toThrow(/PostgreSQL schema "public".*\n- User: no table fits\./)
    expect(existsSync(project.schemaPath)).toBe(false)
  })

  test("without Better Auth's tables, it is refused and the schema file stays as it was", async () => {
    await database.sql('create table products (id text primary key, name text)')
    await writeFile(project.schemaPath, 'as it was')
    await expect(run()).rejects.toThrow(/User: no table fits/)
    expect(read()).toBe('as it was')
  })

  test('without the PostgreSQL schema, it is refused and the schema is not created', async () => {
    await expect(run('nosuch')).rejects.toThrow(/PostgreSQL schema "nosuch"/)
    const found = await database.sql("select from pg_namespace where nspname = 'nosuch'")
    expect(found).toHaveLength(0)
  })
})

function run(databaseSchema = 'public') {
  return introspect({ databaseUrl: database.url, databaseSchema, schemaPath: project.schemaPath })
}

function read(): string {
  return readFileSync(project.schemaPath, 'utf8')
}

/** Prisma explains its options with a password of its own. */
function withoutComments(code: string): string {
  return code.replaceAll(/\/\*.*?\*\//gs, '')
}

function fieldsOf(layout: typeof committedLayout): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(layout).map(([model, table]) => [model, Object.keys(table?.columns ?? {})]),
  )
}

async function clean(): Promise<void> {
  await Promise.all([database.drop(), project.remove()])
}
