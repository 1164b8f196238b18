import { expect, test } from 'vitest'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

/* A list is read without columns that no field below it shows, wherever in the document fields are named. */

const { gateway, identity, acme, ada, bob } = await world()
const token = await ada.jwt()
const columns = ['image', 'email', 'createdAt', 'position'] as const

interface Asked {
  readonly data: Record<string, { members: { nodes: Record<string, unknown>[] } }>
  /** What the statements that list members select; `position` is what cursors are made of. */
  readonly selected: readonly (readonly string[])[]
}

async function ask(document: string, variables: object = {}): Promise<Asked> {
  let data: Asked['data'] = {}
  const statements = await recordStatements(identity.database.name, async () => {
    const answer = await gateway.graphql(document, {
      token,
      variables: { id: acme.id, ...variables },
    })
    expect(answer.errors).toEqual([])
    data = answer.data
  })
  const lists = statements.filter((sql) => sql.includes('"m.role"') && sql.includes('unnest'))
  const isIn = {
    image: (sql: string) => sql.includes('"u.image"'),
    email: (sql: string) => sql.includes('"u.email"'),
    createdAt: (sql: string) => sql.includes('"m.createdAt"'),
    position: (sql: string) => /item\."key"[^,]* AS "key"/.test(sql),
  }
  return { data, selected: lists.map((sql) => columns.filter((column) => isIn[column](sql))) }
}

const listed = (members: string, further = '', yes = members.includes('$yes')) =>
  `query ($id: ID! ${yes ? ', $yes: Boolean = true' : ''}) { organization(id: $id) { ${members} } } ${further}`

test.each<[what: string, document: string, selected: readonly string[]]>([
  ['names', listed('members { nodes { roles user { id name } } }'), []],
  ['addresses', listed('members { nodes { user { email } } }'), ['email']],
  ['pictures', listed('members { nodes { user { image } } }'), ['image']],
  ['under another name', listed('members { nodes { user { mail: email } } }'), ['email']],
  [
    'in fragments of fragments',
    listed(
      'members { ...Page }',
      `fragment Page on MemberConnection { nodes { ... on Member { user { ...Person } } } }
       fragment Person on User { id ...Address ...Address }
       fragment Address on User { email }`,
    ),
    ['email'],
  ],
  [
    'under a condition',
    listed('members { nodes { user { name image @include(if: $yes) } } }'),
    ['image'],
  ],
  ['merged', listed('members { nodes { id } } members { nodes { user { email } } }'), ['email']],
  ['below edges', listed('members { edges { node { user { email } } } }'), ['email']],
  ['cursors', listed('members { edges { cursor } }'), ['position']],
  ['the end of a page', listed('members { pageInfo { endCursor } nodes { id } }'), ['position']],
  ['its beginning', listed('members { pageInfo { startCursor } }'), ['position']],
  ['when they joined', listed('members { nodes { createdAt } }'), ['position']],
  [
    'when they joined, in another order',
    listed('members(orderBy: { field: ROLE, direction: ASC }) { nodes { createdAt } }'),
    ['createdAt', 'position'],
  ],
])('%s', async (_, document, selected) => {
  expect((await ask(document)).selected).toEqual([selected])
})

test('what one of two lists shows is there, and is not what the other shows', async () => {
  const { data, selected } = await ask(
    listed(
      'names: members { nodes { user { id name } } } all: members { edges { cursor } nodes { createdAt user { id email } } }',
    ),
  )
  expect(selected.toSorted()).toEqual([[], ['email', 'position']])
  const { names, all } = data.organization as unknown as Record<
    'names' | 'all',
    { nodes: Record<string, unknown>[]; edges: { cursor: string }[] }
  >
  expect(names.nodes).toContainEqual({ user: { id: bob.id, name: bob.name } })
  expect(all.nodes).toContainEqual({
    createdAt: expect.stringMatching(/^\d{4}-/),
    user: { id: bob.id, email: bob.email },
  })
})

test('what is around a page is known where it is asked for, and the page is the same', async () => {
  const of = (fields: string) => listed(`members(first: 2) { nodes { id } ${fields} }`)
  const { data } = await ask(of(''))
  const more = await ask(of('pageInfo { hasNextPage hasPreviousPage }'))
  expect(data.organization?.members.nodes).toHaveLength(2)
  expect(more.data.organization?.members).toEqual({
    nodes: data.organization?.members.nodes,
    pageInfo: { hasNextPage: true, hasPreviousPage: false },
  })
})

test('organizations come without their places, and with them where a field shows one', async () => {
  const of = (fields: string) => `{ viewer { organizations { edges { ${fields} node { id } } } } }`
  expect((await ask(of('roles'))).selected).toEqual([[]])
  expect((await ask(of('joinedAt'))).selected).toEqual([['position']])
  expect((await ask(of('cursor'))).selected).toEqual([['position']])
})

test('a condition that does not hold costs columns, and changes nothing', async () => {
  const { data } = await ask(
    listed('members { nodes { user { name image @include(if: $yes) email @skip(if: $yes) } } }'),
    { yes: false },
  )
  expect(data.organization?.members.nodes).toContainEqual({
    user: { name: bob.name, email: bob.email },
  })
})
