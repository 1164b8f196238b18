import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuditRecord, printGraph, printOwnerSql, readLayout } from '../../src/gateway.ts'
import { introspect, type Report } from '../../src/introspection/introspect.ts'
import { createProject, type Project } from '../introspection/project.ts'
import { codesOf } from '../support/codes.ts'
import { asSuperuser } from '../support/database.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { world } from '../support/world.ts'

const fields = {
  User: {
    department: {
      type: 'String',
      column: 'dept',
      visibleTo: ['self', 'co-member'],
      description: 'Where they work.\u2028 "Quoted" }',
    },
    field: { type: 'String', column: 'dept', visibleTo: ['self'] },
    level: { type: 'Int', visibleTo: ['self', 'identity:read'] },
    balance: { type: 'Float', visibleTo: ['self', 'platform admin'] },
    big: { type: 'String', visibleTo: ['self'] },
    vip: { type: 'Boolean', visibleTo: ['self'] },
    hiredAt: { type: 'DateTime', visibleTo: ['self'] },
    leftAt: { type: 'DateTime', visibleTo: ['self'] },
    settings: { type: 'JSON', visibleTo: ['self', 'identity:pii'] },
    notes: { type: 'JSON', visibleTo: ['self'] },
    tags: { type: '[String]', visibleTo: ['self'] },
    scores: { type: '[Int]', visibleTo: ['self'] },
  },
  Organization: { tier: { type: 'String', visibleTo: ['member', 'identity:pii'] } },
  Member: { title: { type: 'String', visibleTo: ['identity:read'] } },
}

const { gatewayWith, identity, services, sql, ada, bob, root, acme } = await world({ own: true })
const role = `additional_${randomBytes(6).toString('hex')}`
let project: Project
let report: Report
let gateway: GatewayUnderTest
const audited: AuditRecord[] = []

beforeAll(async () => {
  await sql(`alter table users add dept text, add level int, add balance numeric, add big bigint,
    add vip boolean, add hired_at timestamptz, add left_at timestamp, add settings jsonb, add notes text,
    add tags text[], add scores jsonb, add nickname text, add password_hash text, add "legacyToken" text`)
  await sql('alter table organizations add tier varchar(20)')
  await sql('alter table members add title text')
  project = await createProject()
  report = await run(fields)

  await sql(printOwnerSql(project.layout(), { role, schema: 'public' }))
  await asSuperuser(`alter role ${role} password 'reader'`)
  const url = new URL(identity.ownerUrl)
  url.username = role
  url.password = 'reader'
  gateway = gatewayWith(
    { DATABASE_URL: url.href, PRISMA_SCHEMA_FILE: project.schemaPath, AUDIT_LOG: 'pii' },
    { write: (record) => audited.push(record) },
  )
  await sql(
    `update users set dept = 'Research', level = 7, balance = 12.5, big = 9007199254740993, vip = true,
      hired_at = '2026-01-31T09:30:00.123456+02:00', left_at = '2026-02-28T09:30:00', settings = '{"theme": "dark"}',
      notes = '[1, "two"]', tags = '{a,NULL,b}', scores = '[1, "x", 2.5, 3]' where id = $1`,
    [ada.id],
  )
  await sql("update organizations set tier = 'gold'")
  await sql("update members set title = 'Chief' where user_id = $1", [ada.id])
})

afterAll(async () => {
  await project.remove()
  await sql(`drop owned by ${role}`)
  await asSuperuser(`drop role ${role}`)
})

test('what may be shown is listed, and no secret among it', () => {
  expect(report.additionalFields).toEqual(
    Object.entries(fields).flatMap(([model, named]) =>
      Object.keys(named).map((name) => `${model}.${name}`),
    ),
  )
  expect(report.leftOutColumns).toEqual(['User.nickname'])
})

test('they leave the generated types as they are', async () => {
  const plain = await createProject()
  await run(undefined, plain)
  const [mine, theirs] = await Promise.all([project.generate(), plain.generate()])
  const differing = [...theirs].filter(([file, text]) => mine.get(file) !== text)
  expect(differing.map(([file]) => file)).toEqual(['internal/class.ts'])
  await plain.remove()
})

test('they are in the graph, described, and null when there is nothing', () => {
  const graph = printGraph(readLayout({ prismaSchema: project.schema() }))
  expect(graph).toContain('Where they work.\u2028 "Quoted" }')
  for (const line of ['level: Int', 'settings: JSON', 'tags: [String!]', 'hiredAt: DateTime'])
    expect(graph).toContain(`  ${line}\n`)
})

const ofUser = Object.keys(fields.User).join(' ')

test('every type shows what is stored', async () => {
  const { data, errors } = await gateway.graphql(`{ viewer { ${ofUser} } }`, {
    token: await ada.jwt(),
  })
  expect(errors).toEqual([])
  expect(data.viewer).toEqual({
    department: 'Research',
    field: 'Research',
    level: 7,
    balance: 12.5,
    big: '9007199254740993',
    vip: true,
    hiredAt: '2026-01-31T07:30:00.123Z',
    leftAt: '2026-02-28T09:30:00.000Z',
    settings: { theme: 'dark' },
    notes: [1, 'two'],
    tags: ['a', 'b'],
    scores: [1, 3],
  })
  const empty = await gateway.graphql(`{ viewer { ${ofUser} } }`, { token: await bob.jwt() })
  expect(empty.errors).toEqual([])
  expect(new Set(Object.values(empty.data.viewer))).toEqual(new Set([null]))
})

describe('they are for their audiences alone, on every way to them:', () => {
  const query = `query ($user: ID!, $organization: ID!) {
    user(id: $user) { department level balance settings }
    organization(id: $organization) {
      tier
      members(first: 1) { nodes { title user { department level balance settings } } }
      member(userId: $user) { title }
    }
  }`
  const own = { department: 'Research', level: 7, balance: 12.5, settings: { theme: 'dark' } }
  const nothing = { department: null, level: null, balance: null, settings: null }

  async function ask(token: string) {
    const variables = { user: ada.id, organization: acme.id }
    const answer = await gateway.graphql(query, { token, variables })
    expect([...new Set(Object.values(codesOf(answer)))]).toEqual(['FORBIDDEN'])
    const { user, organization } = answer.data
    const [first] = organization?.members.nodes ?? []
    expect(first?.user ?? user).toEqual(user)
    expect(organization?.member).toEqual(first && { title: first.title })
    return { user, tier: organization?.tier, title: first?.title }
  }

  test('oneself', async () => {
    expect(await ask(await ada.jwt())).toEqual({ user: own, tier: 'gold', title: null })
  })
  test('co-members', async () => {
    const user = { ...nothing, department: 'Research' }
    expect(await ask(await bob.jwt())).toEqual({ user, tier: 'gold', title: null })
  })
  test('platform admins', async () => {
    expect(await ask(await root.jwt())).toMatchObject({ user: { ...nothing, balance: 12.5 } })
  })
  test('services that may read', async () => {
    expect(await ask(await services.token('identity:read'))).toEqual({
      user: { ...nothing, level: 7 },
      tier: null,
      title: 'Chief',
    })
  })
  test('services that may read personal data', async () => {
    expect(await ask(await services.token('identity:read identity:pii'))).toEqual({
      user: { ...nothing, level: 7, settings: { theme: 'dark' } },
      tier: 'gold',
      title: 'Chief',
    })
  })
  test('and where services need more than identity:read, a read by others is audited', async () => {
    const recorded = async (token: string) => {
      audited.length = 0
      await ask(token)
      // In whichever order the fields were answered.
      return audited
        .flatMap((record) => (record.audit === 'pii' ? [record] : []))
        .sort((one, other) => one.fields.join().localeCompare(other.fields.join()))
    }
    const tier = { organizationId: acme.id, fields: ['Organization.tier'] }
    const of = (...fields: string[]) => ({ userId: ada.id, fields })
    expect(await recorded(await ada.jwt())).toMatchObject([tier])
    expect(await recorded(await bob.jwt())).toMatchObject([tier, of('User.department')])
    expect(await recorded(await root.jwt())).toMatchObject([of('User.balance')])
    expect(await recorded(await services.token('identity:read'))).toEqual([])
    const personal = await services.token('identity:read identity:pii')
    expect(await recorded(personal)).toMatchObject([tier, of('User.settings')])
  })
})

describe('refused is', () => {
  const self = { type: 'String', visibleTo: ['self'] }
  test.each([
    [
      'a secret by its column',
      { hash: { ...self, column: 'password_hash' } },
      /User\.hash: the column "password_hash" .* is a secret/,
    ],
    ['a secret by its name', { legacyToken: self }, /User\.legacyToken: .* is a secret/],
    ['a name of the contract', { email: self }, /User\.email: the graph has a field of that name/],
    [
      'a name of the graph',
      { memberships: { ...self, column: 'nickname' } },
      /Duplicate field.*memberships|memberships.*User/,
    ],
    [
      'a column of another field',
      { mail: { ...self, column: 'email' } },
      /User\.mail: .* is shown by another field/,
    ],
    [
      'a column that is not there',
      { shoe: self },
      /User\.shoe: the table "users" has no column for it/,
    ],
    [
      'a type that does not fit',
      { vip: self },
      /User\.vip: .* is of Prisma type Boolean, which cannot be shown as String/,
    ],
    [
      'an unknown type',
      { nickname: { ...self, type: 'Text' } },
      /User\.nickname\.type: Invalid option/,
    ],
    [
      'an unknown audience',
      { nickname: { ...self, visibleTo: ['member'] } },
      /User\.nickname\.visibleTo\.0: Invalid option/,
    ],
    [
      'no audience',
      { nickname: { ...self, visibleTo: [] } },
      /User\.nickname\.visibleTo: Too small/,
    ],
    ['no name', { 'nick-name': self }, /User\.nick-name: /],
  ])('%s', async (_, named, complaint) => {
    const other = await createProject()
    await expect(run({ User: named }, other)).rejects.toThrow(complaint)
    await other.remove()
  })

  test('what Better Auth never returns', async () => {
    const other = await createProject()
    const authPath = join(dirname(other.schemaPath), 'auth.mjs')
    await writeFile(
      authPath,
      `import { betterAuth } from 'better-auth'
      import pg from 'pg'
      const pool = new pg.Pool({ connectionString: ${JSON.stringify(identity.ownerUrl)} })
      pool.on('error', () => {})
      const additionalFields = {
        alias: { type: 'string', fieldName: 'nickname', returned: false },
        department: { type: 'string', fieldName: 'dept' },
      }
      const fields = { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' }
      export const auth = betterAuth({
        baseURL: 'http://127.0.0.1:3999', secret: 'a secret of at least thirty-two characters',
        database: pool, telemetry: { enabled: false },
        user: { modelName: 'users', fields, additionalFields },
        session: { modelName: 'sessions' }, account: { modelName: 'accounts' },
      })`,
    )
    const shown = { department: self, name2: { ...self, column: 'nickname' } }
    await expect(run({ User: shown }, other, authPath)).rejects.toThrow(
      /^(?!.*User\.department)[\s\S]*User\.name2: the column "nickname" .* is never returned by Better Auth/,
    )
    const { additionalFields, leftOutColumns } = await run(
      { User: { department: self } },
      other,
      authPath,
    )
    expect(additionalFields).toEqual(['User.department'])
    expect(leftOutColumns).not.toContain('User.nickname')
    await other.remove()
  })
})

async function run(named: unknown, into = project, authPath?: string): Promise<Report> {
  const fieldsPath = join(dirname(into.schemaPath), 'fields.json')
  if (named) await writeFile(fieldsPath, JSON.stringify(named))
  return introspect({
    databaseUrl: identity.ownerUrl,
    databaseSchema: 'public',
    schemaPath: into.schemaPath,
    ...(named !== undefined && { fieldsPath }),
    authPath,
    verify: (prismaSchema) => void printGraph(readLayout({ prismaSchema })),
  })
}
