import { expect, test } from 'vitest'
import { parseLayout } from '../../src/layout/schema-file.ts'
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
  const edited = schema.replace('"visibleTo":["self"]', '"visibleTo":["everybody"]')
  expect(() => parseLayout(edited)).toThrow('An additional field of User is not what it should be:')
})

test('a text that is no canonical schema is refused in a sentence', () => {
  expect(() => parseLayout('')).toThrow('It has no model User: it must be written by the command')
  expect(() => parseLayout(prismaSchema.replace(/^ {2}phoneNumber .*\n/m, ''))).toThrow(
    'User has no field phoneNumber: it must be written by the command introspect',
  )
})
