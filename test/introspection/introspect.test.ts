import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { introspect } from '../../src/introspection/introspect.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout as committedLayout } from '../support/layout.ts'
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

  test('gives exactly the committed schema, also on a second run', async () => {
    expect(project.schema()).toBe(committed)
    await run()
    expect(project.schema()).toBe(committed)
  })

  test('leaves secrets out of the schema and the client', async () => {
    const secrets =
      /\b(token|password|\w*access_?token\w*|\w*refresh_?token\w*|id_?token|private_?key|membership_?key|member_?count|backup_?codes|two_?factors?|verifications?|credential_?id|transports|client_?secret|oidc_?config|saml_?config|stripe\w*)\b/i
    const code = [...(await project.generate()).values()].map(withoutComments)
    // The table of access tokens has its name here, and nothing of the tokens.
    const texts = [project.schema(), ...code].map((text) =>
      text.replaceAll(/oauthAccessToken/gi, ''),
    )
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

  test('has the same models and fields, whatever their real names', () => {
    expect(fieldsOf(project.layout())).toEqual(fieldsOf(committedLayout))
    expect(project.layout().TeamMember).toMatchObject({
      name: 'teamMember',
      columns: { teamId: { name: 'teamId' } },
    })
  })

  test('gives the same client but for the text of the schema', async () => {
    const house = await createProject()
    await writeFile(house.schemaPath, committed)
    const [mine, theirs] = await Promise.all([project.generate(), house.generate()])
    const differing = [...theirs].filter(([file, text]) => mine.get(file) !== text)
    expect(differing.map(([file]) => file)).toEqual(['internal/class.ts'])
    await house.remove()
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
    expect(project.schema()).toBe('as it was')
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
