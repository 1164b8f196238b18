import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { world } from '../support/world.ts'

const { gateway, services, sql } = await world({ own: true })
const token = await services.token()

beforeAll(async () => {
  await sql(
    `insert into organizations (id, name, slug, created_at)
     values ('o', 'O', 'o', now()), ('other', 'Other', 'other', now())`,
  )
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, now(), now()
     from generate_series(0, 149) i`,
  )
})

interface Row {
  readonly id: string
  /** Microseconds after the epoch of the test. */
  readonly at: number
}

/** Replaces the members of the organization. */
async function store(rows: readonly Row[], organization = 'o'): Promise<void> {
  await sql('delete from members where organization_id = $1', [organization])
  await sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select id, $3, 'u' || (n - 1), 'member', '2026-03-29T00:59:59.999990Z'::timestamptz + at * interval '1 microsecond'
     from unnest($1::text[], $2::int[]) with ordinality as row (id, at, n)`,
    [rows.map(({ id }) => id), rows.map(({ at }) => at), organization],
  )
}

const inOrder = (rows: readonly Row[]) =>
  [...rows].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).map(({ id }) => id)

interface Arguments {
  readonly first?: number | undefined
  readonly last?: number | undefined
  readonly after?: string | undefined
  readonly before?: string | undefined
}

interface PageRead {
  readonly ids: string[]
  readonly cursors: string[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly totalCount: number
}

const QUERY = `query ($first: Int, $last: Int, $after: String, $before: String) {
  organization(id: "o") { members(first: $first, last: $last, after: $after, before: $before) {
    totalCount nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`

async function page(variables: Arguments): Promise<PageRead> {
  const { data, errors } = await gateway.graphql(QUERY, { token, variables: { ...variables } })
  expect(errors).toEqual([])
  const { totalCount, nodes, edges, pageInfo } = data.organization.members
  const cursors = edges.map((edge: { cursor: string }) => edge.cursor)
  const ids = edges.map((edge: { node: { id: string } }) => edge.node.id)
  expect(nodes.map((node: { id: string }) => node.id)).toEqual(ids)
  expect(pageInfo.startCursor).toBe(cursors[0] ?? null)
  expect(pageInfo.endCursor).toBe(cursors.at(-1) ?? null)
  const { hasNextPage, hasPreviousPage } = pageInfo
  return { ids, cursors, hasNextPage, hasPreviousPage, totalCount }
}

async function codeOf(variables: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  const { errors } = await gateway.graphql(QUERY, { token, variables })
  return errors[0]?.extensions.code
}

/** Ids with characters that collations order differently, and times with few distinct microseconds. */
const rowsArbitrary = fc.uniqueArray(
  fc.record({
    id: fc.string({
      unit: fc.constantFrom('a', 'B', '-', '_', 'é', '0'),
      minLength: 1,
      maxLength: 4,
    }),
    at: fc.integer({ min: 0, max: 12 }),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
)

/** What Relay's specification says of a plain array. */
function slice(all: readonly string[], asked: Arguments & { afterAt?: number; beforeAt?: number }) {
  const from = asked.afterAt === undefined ? 0 : asked.afterAt + 1
  const to = asked.beforeAt ?? all.length
  const between = all.slice(from, Math.max(from, to))
  const size = asked.first ?? asked.last ?? 20
  const ids = asked.last === undefined ? between.slice(0, size) : between.slice(-size)
  const start = asked.last === undefined ? from : from + between.length - ids.length
  return {
    ids,
    hasPreviousPage: start > 0,
    hasNextPage: asked.last === undefined ? from + ids.length < all.length : to < all.length,
  }
}

describe('a page is what a plain sorted array would give', () => {
  test('with first or last, after and before any two entries', async () => {
    const property = fc.asyncProperty(
      rowsArbitrary,
      fc.integer({ min: 1, max: 14 }),
      fc.boolean(),
      fc.option(fc.nat({ max: 11 }), { nil: undefined }),
      fc.option(fc.nat({ max: 11 }), { nil: undefined }),
      async (rows, size, fromStart, afterIndex, beforeIndex) => {
        await store(rows)
        const all = inOrder(rows)
        const { ids, cursors } = await page({ first: 100 })
        expect(ids).toEqual(all)
        const afterAt = within(afterIndex, all.length)
        const beforeAt = within(beforeIndex, all.length)
        const asked = {
          ...(fromStart ? { first: size } : { last: size }),
          after: afterAt === undefined ? undefined : cursors[afterAt],
          before: beforeAt === undefined ? undefined : cursors[beforeAt],
        }
        const expected = slice(all, {
          ...asked,
          ...(afterAt === undefined ? {} : { afterAt }),
          ...(beforeAt === undefined ? {} : { beforeAt }),
        })
        const read = await page(asked)
        expect(read.ids).toEqual(expected.ids)
        expect(read.totalCount).toBe(all.length)
        // Where the cursors leave nothing between them, there is no page to have neighbours.
        if (afterAt === undefined || beforeAt === undefined || afterAt < beforeAt)
          expect(read).toMatchObject(expected)
      },
    )
    await fc.assert(property, { numRuns: 120 })
  })

  test('and walking forwards or backwards meets every entry once', async () => {
    const property = fc.asyncProperty(
      rowsArbitrary,
      fc.integer({ min: 1, max: 5 }),
      async (rows, size) => {
        await store(rows)
        const all = inOrder(rows)
        const forwards: string[] = []
        let read = await page({ first: size })
        forwards.push(...read.ids)
        while (read.hasNextPage) {
          read = await page({ first: size, after: read.cursors.at(-1) })
          expect(read.hasPreviousPage).toBe(true)
          forwards.push(...read.ids)
        }
        expect(forwards).toEqual(all)
        const backwards: string[] = []
        read = await page({ last: size })
        backwards.unshift(...read.ids)
        while (read.hasPreviousPage) {
          read = await page({ last: size, before: read.cursors[0] })
          expect(read.hasNextPage).toBe(true)
          backwards.unshift(...read.ids)
        }
        expect(backwards).toEqual(all)
      },
    )
    await fc.assert(property, { numRuns: 40 })
  })
})

function within(index: number | undefined, length: number): number | undefined {
  return index === undefined || length === 0 ? undefined : index % length
}

describe('the size of a page', () => {
  beforeAll(() => store(Array.from({ length: 120 }, (_, i) => ({ id: `m${i}`, at: i }))))

  test('is 20 unless it is given, and 100 at most', async () => {
    expect((await page({})).ids).toHaveLength(20)
    expect((await page({ first: 100 })).ids).toHaveLength(100)
    expect((await page({ last: 100 })).ids.at(-1)).toBe('m119')
  })

  test.each([
    { first: 0 },
    { first: -1 },
    { first: 101 },
    { last: 0 },
    { last: -1 },
    { last: 101 },
    { first: 1, last: 1 },
    { first: 2_147_483_647 },
    { first: 2_147_483_648 },
    { first: 1.5 },
    { first: '1' },
  ])('%j is BAD_USER_INPUT', async (variables) => {
    expect(await codeOf(variables)).toBe('BAD_USER_INPUT')
  })
})

describe('a cursor', () => {
  const encode = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const decode = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString())
  let own: string

  beforeAll(async () => {
    await store([
      { id: 'm1', at: 1 },
      { id: 'm2', at: 2 },
    ])
    await store([{ id: 'elsewhere', at: 1 }], 'other')
    own = (await page({ first: 1 })).cursors[0] ?? ''
  })

  const forged: Record<string, (parts: unknown[]) => unknown> = {
    'an empty text': () => '',
    'no base64': () => '%%%',
    'no JSON': () => Buffer.from('{').toString('base64url'),
    'no array': () => encode({ length: 4 }),
    'endless text': () => encode(['x'.repeat(5000)]),
    'of another version': ([, ...rest]) => encode([2, ...rest]),
    'of another list': ([version, , ...rest]) => encode([version, 'AAAAAAAAAAAA', ...rest]),
    'without an id': ([version, list, value]) => encode([version, list, value]),
    'with an id that is no text': ([version, list, value]) => encode([version, list, value, 7]),
    'with a NUL in the id': ([version, list, value]) => encode([version, list, value, 'a\0']),
    'with SQL for a time': ([version, list, , id]) => encode([version, list, "now()'--", id]),
    'with a word for a time': ([version, list, , id]) => encode([version, list, 'infinity', id]),
    'with a day that does not exist': ([version, list, , id]) =>
      encode([version, list, '2026-13-45T00:00:00.000000Z', id]),
    'with a day that PostgreSQL does not know': ([version, list, , id]) =>
      encode([version, list, '2026-02-30T00:00:00.000000Z', id]),
    'with an hour that PostgreSQL does not know': ([version, list, , id]) =>
      encode([version, list, '2026-02-01T99:00:00.000000Z', id]),
    'with a year that PostgreSQL does not know': ([version, list, , id]) =>
      encode([version, list, '0000-01-01T00:00:00.000000Z', id]),
    'with a year too great': ([version, list, , id]) =>
      encode([version, list, '999999-01-01T00:00:00.000000Z', id]),
  }

  test.each(Object.keys(forged))('%s is BAD_USER_INPUT', async (how) => {
    const cursor = forged[how]?.(decode(own))
    expect(await codeOf({ after: cursor })).toBe('BAD_USER_INPUT')
    expect(await codeOf({ before: cursor })).toBe('BAD_USER_INPUT')
  })

  test.each([
    ['the members of another organization', 'organization(id: "other") { list: members'],
    ['the memberships of a user', 'user(id: "u0") { list: memberships'],
    ['the organizations of a user', 'user(id: "u0") { list: organizations'],
  ])('of %s is BAD_USER_INPUT', async (_whose, list) => {
    const answer = await gateway.graphql(`{ parent: ${list} { edges { cursor } } } }`, { token })
    const [edge] = answer.data.parent.list.edges
    expect(await codeOf({ after: edge.cursor })).toBe('BAD_USER_INPUT')
  })

  test('stays good for an entry that is gone', async () => {
    const { cursors } = await page({ first: 1 })
    await store([{ id: 'm2', at: 2 }])
    expect((await page({ first: 5, after: cursors[0] })).ids).toEqual(['m2'])
    expect((await page({ first: 5, after: cursors[0] })).hasPreviousPage).toBe(false)
  })
})

describe('entries that come between two pages', () => {
  beforeEach(() => store([10, 20, 30, 40].map((at) => ({ id: `m${at}`, at }))))

  const add = (id: string, at: number) =>
    sql(
      `insert into members (id, organization_id, user_id, role, created_at)
       select $1, 'o', 'u100', 'member', '2026-03-29T00:59:59.999990Z'::timestamptz + $2::int * interval '1 microsecond'`,
      [id, at],
    )

  test('before the cursor do not push others onto the next page', async () => {
    const { cursors } = await page({ first: 2 })
    await add('early', 5)
    expect((await page({ first: 2, after: cursors[1] })).ids).toEqual(['m30', 'm40'])
  })

  test('after the cursor are met in their place, one microsecond later as well', async () => {
    const { cursors } = await page({ first: 2 })
    await add('next', 21)
    expect((await page({ first: 2, after: cursors[1] })).ids).toEqual(['next', 'm30'])
  })

  test('going backwards likewise', async () => {
    const { cursors } = await page({ last: 2 })
    await add('between', 29)
    expect((await page({ last: 2, before: cursors[0] })).ids).toEqual(['m20', 'between'])
  })
})
