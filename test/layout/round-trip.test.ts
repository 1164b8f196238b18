import internals from '@prisma/internals'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  additionalTypes,
  audiencesOf,
  extensibleModels,
} from '../../src/domain/additional-field.ts'
import { contract, fieldsOf, type Model, models } from '../../src/layout/contract.ts'
import { type Column, type Layout, storedTypes, type Table } from '../../src/layout/layout.ts'
import { parseLayout, printLayout } from '../../src/layout/schema-file.ts'
import { prismaSchema } from '../support/layout.ts'

/** Whatever PostgreSQL lets a table or a column be called. */
const anyName = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom(
    'model',
    'absent: the database has no such column',
    '@@map("x")',
    '") // stored as uuid',
    'a "quoted" \\ name',
    '}\n\nmodel User {',
    '// token: "x"',
    '\u2028',
  ),
)

const typesOf: Readonly<Record<string, readonly Column['type'][]>> = {
  String: ['text', 'citext', 'uuid', 'enum', 'jsonb', 'json'],
  Boolean: ['boolean'],
  Int: ['number'],
  DateTime: ['timestamptz', 'timestamp'],
}

function anyColumn(type: string): fc.Arbitrary<Column> {
  const scalar = type.replace('?', '')
  return fc.record({
    name: anyName,
    type: fc.constantFrom(...(typesOf[scalar] ?? [])),
    ...(type.endsWith('?') ? {} : { required: fc.constant(true as const) }),
  })
}

function anyAdditional(model: Model): fc.Arbitrary<Record<string, Column>> {
  const extensible = extensibleModels.find((name) => name === model)
  if (!extensible) return fc.constant({})
  const field = fc.record({
    name: fc.stringMatching(/^own[A-Z][a-zA-Z0-9]{0,10}$/),
    type: fc.constantFrom(...additionalTypes),
    visibleTo: fc.subarray([...audiencesOf[extensible]]),
    description: anyName,
  })
  const column = fc.record({
    name: anyName,
    type: fc.constantFrom(...storedTypes),
    additional: field,
  })
  return fc
    .array(column, { maxLength: 3 })
    .map((columns) => Object.fromEntries(columns.map((each) => [each.additional.name, each])))
}

const anyMark = fc.option(fc.boolean(), { nil: undefined })

function anyTable(model: Model): fc.Arbitrary<Table | null> {
  const { columns, required } = contract[model]
  const known = fc.record(
    Object.fromEntries(
      Object.entries(fieldsOf(model)).map(([name, type]) => [name, anyColumn(type)]),
    ),
    { requiredKeys: Object.keys(columns) },
  )
  const table = fc
    .tuple(anyName, known, anyAdditional(model), fc.option(anyName, { nil: undefined }), anyMark)
    .map(([name, own, additional, token, authoritative]) => ({
      name,
      columns: { ...own, ...additional },
      ...(model === 'Session' && token !== undefined ? { tokenColumn: token } : {}),
      ...(model === 'Session' && authoritative !== undefined ? { authoritative } : {}),
    }))
  return required ? table : fc.option(table, { nil: null })
}

const anyLayout = fc.record(
  Object.fromEntries(models.map((model) => [model, anyTable(model)])),
) as unknown as fc.Arbitrary<Layout>

test('a layout that is printed and read again is the same', () => {
  fc.assert(
    fc.property(anyLayout, (layout) => {
      expect(parseLayout(printLayout(layout))).toEqual(layout)
    }),
    { numRuns: 300 },
  )
})

test("also after Prisma's formatter, which takes it for a schema", async () => {
  await fc.assert(
    fc.asyncProperty(anyLayout, async (layout) => {
      const [file] = await internals.formatSchema({
        schemas: [['schema.prisma', printLayout(layout)]],
      })
      expect(parseLayout(file?.[1] ?? '')).toEqual(layout)
    }),
    { numRuns: 50 },
  )
})

test('the committed schema is what is printed of it', async () => {
  const printed = printLayout(parseLayout(prismaSchema))
  const [file] = await internals.formatSchema({ schemas: [['schema.prisma', printed]] })
  expect(file?.[1]).toBe(prismaSchema)
})
