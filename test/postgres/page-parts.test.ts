import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Omissible, PageRequest } from '../../src/domain/page.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { createMemberRepository } from '../../src/postgres/member.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { openHouse } from '../support/client.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

/* What pages come with, and in which order, where ids are numbers. */

let database: Database
let client: Client
const statements: string[] = []

beforeAll(async () => {
  database = await createDatabase()
  client = openHouse({
    url: database.url,
    onStatement: ({ text }) => statements.push(text),
  })
  await database.sql('alter table members alter id type integer using 0')
  await database.sql(
    `insert into organizations (id, name, slug, created_at) values ('o', 'O', 'o', now())`,
  )
  await database.sql(
    `insert into users (id, name, email, email_verified, image, created_at, updated_at)
     select 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, 'https://example.com/' || i, now(), now()
     from generate_series(1, 12) i`,
  )
  // All of one moment, so that their ids decide.
  await database.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select i, 'o', 'u' || i, case when i % 2 = 0 then 'admin' else 'owner' end, '2026-01-02T03:04:05.678Z'
     from generate_series(1, 12) i`,
  )
})

afterAll(async () => {
  await client?.close()
  await database?.drop()
})

const oldestFirst = { field: 'CREATED_AT', direction: 'ASC' } as const

function members() {
  const { Member } = layout
  if (!Member) throw new Error('The layout has no members.')
  const id = { name: 'id', type: 'integer', required: true } as const
  const numbered = { ...layout, Member: { ...Member, columns: { ...Member.columns, id } } }
  return createMemberRepository({ ...client, tables: new Tables(numbered, 'public') })
}

async function listed(request: PageRequest, roles?: readonly string[]) {
  const pages = await members().listByOrganizationIds(['o'], request, { roles }, oldestFirst)
  return pages.get('o')
}

async function pageOf(...asked: Parameters<typeof listed>) {
  return (await listed(...asked))?.items ?? []
}

describe.each([
  ['all', undefined],
  ['those of either role', ['admin', 'owner']],
])('ids that are numbers, of %s', (_, roles) => {
  test('are in the order of numbers, page after page', async () => {
    const found: string[] = []
    let after: PageRequest['after']
    for (let page = 0; page < 3; page++) {
      const items = await pageOf({ size: 5, from: 'start', after }, roles)
      found.push(...items.map(({ entity }) => entity.id))
      const place = items.at(-1)?.position
      after = place && { value: place.value, id: place.id }
    }
    expect(found).toEqual(Array.from({ length: 12 }, (_, i) => String(i + 1)))
  })

  test('and from the end', async () => {
    const items = await pageOf({ size: 5, from: 'end' }, roles)
    expect(items.map(({ entity }) => entity.id)).toEqual(['8', '9', '10', '11', '12'])
  })
})

describe('a page', () => {
  const read = async (without: readonly Omissible[]) => {
    statements.length = 0
    const [item] = await pageOf({ size: 1, from: 'start', without })
    if (!item) throw new Error('There is no member.')
    return item
  }

  test('comes with everything where nothing else is said', async () => {
    const { entity, position } = await read([])
    expect(entity.user).toMatchObject({ image: 'https://example.com/1', email: 'u1@example.com' })
    expect(entity.createdAt).toEqual(new Date('2026-01-02T03:04:05.678Z'))
    expect(position.value).toBe('2026-01-02T03:04:05.678000Z')
  })

  test('does not read what nobody asks for', async () => {
    const { entity, position } = await read(['position', 'user.image', 'user.email'])
    expect(entity).toMatchObject({ id: '1', userId: 'u1', organizationId: 'o', roles: ['owner'] })
    expect(entity.user).toMatchObject({ id: 'u1', name: 'User 1' })
    expect(entity.user.image).toBeUndefined()
    expect(entity.user.email).toBeUndefined()
    expect(statements.join()).not.toMatch(/email|image|AS "key",\s+item/)
    // Rather than one that leads to another place.
    expect(() => position.value).toThrow('without positions')
  })

  test('does not look beyond its entries where nobody asks what is there', async () => {
    const whole = await listed({ size: 5, from: 'start' })
    const after = whole?.items[1]?.position
    const around = { size: 5, from: 'start', after } as const
    expect(await listed(around)).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
    statements.length = 0
    const alone = await listed({ ...around, without: ['more'] })
    expect(alone?.items.map(({ entity }) => entity.id)).toEqual(['3', '4', '5', '6', '7'])
    expect(alone).toMatchObject({ hasNextPage: undefined, hasPreviousPage: undefined })
    expect(statements.join()).not.toContain('beyond')
  })

  test('leaves out one of them alone', async () => {
    const { entity, position } = await read(['user.image'])
    expect(entity.user.email).toBe('u1@example.com')
    expect(entity.user.image).toBeUndefined()
    expect(position.value).toBe('2026-01-02T03:04:05.678000Z')
  })
})
