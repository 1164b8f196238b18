import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { printGraph } from '../../src/gateway.ts'
import { contract, models } from '../../src/layout/contract.ts'
import { parseLayout } from '../../src/layout/schema-file.ts'
import { gatewayFor } from '../support/gateway.ts'
import { startIdentity } from '../support/identity.ts'
import { layout, prismaSchema } from '../support/layout.ts'

test('the house layout is read from the committed schema', () => {
  expect(layout.Member).toEqual({
    name: 'members',
    columns: {
      id: { name: 'id', type: 'text', required: true },
      organizationId: { name: 'organization_id', type: 'text', required: true },
      userId: { name: 'user_id', type: 'text', required: true },
      role: { name: 'role', type: 'text', required: true },
      createdAt: { name: 'created_at', type: 'timestamptz', required: true },
    },
  })
})

test('names may hold whatever PostgreSQL allows', () => {
  const schema = prismaSchema
    .replace('@@map("members")', String.raw`@@map("a \"table\" }\nmodel")`)
    .replace('@map("organization_id")', String.raw`@map(") // absent: @@map(\"x\")")`)
  const { Member } = parseLayout(schema)
  expect(Member?.name).toBe('a "table" }\nmodel')
  expect(Member?.columns.organizationId?.name).toBe(') // absent: @@map("x")')
  expect(Member?.columns.userId?.name).toBe('user_id')
})

test('fields of the application and the name of the token are read from their comments', () => {
  const field = {
    name: 'department',
    type: 'String',
    visibleTo: ['self'],
    description: '\\"\u2028}\nmodel',
  }
  const json = JSON.stringify({ ...field, column: 'dept', stored: 'text' })
  const schema = prismaSchema
    .replace(
      '  @@map("users")',
      `  // additional: ${json.replace('\u2028', '\\u2028')}\n  @@map("users")`,
    )
    .replace(
      '  @@map("sessions")',
      `${String.raw`  // token: "the \"token\""`}\n  @@map("sessions")`,
    )
  const { User, Session } = parseLayout(schema)
  expect(User?.columns.department).toEqual({ name: 'dept', type: 'text', additional: field })
  expect(User?.name).toBe('users')
  expect(Session?.tokenColumn).toBe('the "token"')
  expect(layout.Session).not.toHaveProperty('tokenColumn')
  expect(layout.Session).not.toHaveProperty('authoritative')
  const edited = schema.replace('"visibleTo":["self"]', '"visibleTo":["everybody"]')
  expect(() => parseLayout(edited)).toThrow('An additional field of User is not what it should be:')
})

test('a text that is no canonical schema is refused in a sentence', () => {
  expect(() => parseLayout('')).toThrow('It has no model User: it must be written by the command')
  expect(() => parseLayout(prismaSchema.replace(/^ {2}email .*\n/m, ''))).toThrow(
    'User has no field email: it must be written by the command introspect',
  )
})

/** The committed schema as a version before this model would have written it, or with what points to it left in. */
function without(model: string, { relations = true } = {}): string {
  const cut = prismaSchema.replace(new RegExp(`\\nmodel ${model} \\{\\n.*?\\n\\}\\n`, 's'), '')
  expect(cut).not.toBe(prismaSchema)
  return relations
    ? cut.replaceAll(new RegExp(`^  \\w+ +${model}(\\[\\])?( .*)?\\n`, 'gm'), '')
    : cut
}

describe.each(models.filter((model) => !contract[model].required))('a file without %s', (model) => {
  test('is that of a database without its table', () => {
    for (const relations of [true, false])
      expect(parseLayout(without(model, { relations }))).toEqual({ ...layout, [model]: null })
  })

  test('makes a graph without what it holds', () => {
    expect(() => printGraph(parseLayout(without(model)))).not.toThrow()
  })
})

test('a column that the contract does not list is none, whoever wrote it into the file', () => {
  const edited = prismaSchema.replace(
    'model Account {\n',
    'model Account {\n  password String? @map("password")\n',
  )
  expect(edited).not.toBe(prismaSchema)
  expect(parseLayout(edited)).toEqual(layout)
})

test('a file without an optional column is that of a database without it', () => {
  const { User } = parseLayout(prismaSchema.replace(/^ {2}phoneNumber .*\n/m, ''))
  expect(User?.columns).not.toHaveProperty('phoneNumber')
  expect(User?.columns).toHaveProperty('email')
})

test('a gateway serves by the file of an earlier version', async () => {
  const identity = await startIdentity()
  const ada = await identity.signUp('Ada')
  const directory = await mkdtemp(join(tmpdir(), 'identity-schema-'))
  const file = join(directory, 'schema.prisma')
  await writeFile(file, without('TeamMember', { relations: false }))
  const gateway = gatewayFor(identity, { PRISMA_SCHEMA_FILE: file })
  // The keys of the token and the accounts are read by Prisma.
  const query = '{ viewer { name accounts { providerId } } }'
  const { data, errors } = await gateway.graphql(query, { token: await ada.jwt() })
  expect(errors).toEqual([])
  expect(data).toEqual({ viewer: { name: 'Ada', accounts: [{ providerId: 'credential' }] } })
  await gateway.close()
  await identity.stop()
  await rm(directory, { recursive: true })
})
