import {
  buildClientSchema,
  buildSchema,
  type GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  introspectionFromSchema,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { printGraph } from '../../src/gateway.ts'
import { codesOf } from '../support/codes.ts'
import { federatedGraph } from '../support/federated-graph.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { layout } from '../support/layout.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const { gateway, gatewayWith, identity, services, sql, ada, bob, eve, acme, evil } = await world({
  own: true,
  environment: { FEDERATION: 'on' },
})
const [bobInAcme, eveInEvil] = await Promise.all([bob, eve].map(memberIdOf))
await sql("update users set username = 'bob.b' where id = $1", [bob.id])
const [teamOfAcme, teamOfEvil] = await Promise.all([
  teamOf(acme, ada.headers),
  teamOf(evil, eve.headers),
])

beforeAll(async () => {
  // The signing keys are read by the first requests.
  for (const token of await Promise.all([ada.jwt(), services.token()]))
    await gateway.graphql('{ viewer { id } }', { token })
})

async function memberIdOf({ id }: { id: string }): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>('select id from members where user_id = $1', [id])
  return row?.id
}

async function teamOf({ id: organizationId }: { id: string }, headers: Headers): Promise<string> {
  const { api } = identity.betterAuth.auth
  const { id } = await api.createTeam({ body: { organizationId, name: 'Ward' }, headers })
  return id
}

const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
  __typename ... on User { name email } ... on Organization { slug } ... on Member { roles user { name } }
  ... on Team { name organization { slug } } ... on Invitation { organizationName }
} }`

async function ask(representations: readonly unknown[], token: string | undefined) {
  const answer = await gateway.graphql(query, { token, variables: { representations } })
  return { entities: answer.data?._entities, codes: codesOf(answer) }
}

const user = (key: object) => ({ __typename: 'User', ...key })
const organization = (key: object) => ({ __typename: 'Organization', ...key })
const member = (key: object) => ({ __typename: 'Member', ...key })
const invitation = (key: object) => ({ __typename: 'Invitation', ...key })
const team = (key: object) => ({ __typename: 'Team', ...key })
const ends = (person: { id: string }, of: { id: string }) =>
  member({ organization: { id: of.id }, user: { id: person.id } })

describe('the graph', () => {
  const shapeOf = (introspection: IntrospectionQuery) =>
    printSchema(lexicographicSortSchema(buildClientSchema(introspection)))
  const shown = {
    descriptions: false,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    oneOf: false,
  }
  const served = async (of: GatewayUnderTest) =>
    shapeOf((await of.graphql(getIntrospectionQuery(shown))).data)
  const expected = (schema: GraphQLSchema) => shapeOf(introspectionFromSchema(schema, shown))

  test('is with federation what the specification adds to it, and nothing else', async () => {
    expect(await served(gateway)).toBe(expected(federatedGraph()))
  })

  test('is without it what is printed', async () => {
    const without = gatewayWith({})
    expect(await served(without)).toBe(expected(buildSchema(printGraph(layout))))
    const { errors } = await without.graphql('{ _service { sdl } }')
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['GRAPHQL_VALIDATION_FAILED'])
  })

  test('describes each thing that is added', async () => {
    const { data } = await gateway.graphql(`{ __schema { types { name description
      fields { name description args { name description } } } } }`)
    const types: { name: string; description: string; fields: { name: string }[] }[] =
      data.__schema.types
    const added = types.flatMap(({ fields, ...type }) =>
      type.name === 'Query'
        ? fields.filter(({ name }) => name.startsWith('_'))
        : /^_[^_]/.test(type.name)
          ? [{ ...type, fields }]
          : [],
    )
    expect(added.map(({ name }) => name).toSorted()).toEqual([
      '_Any',
      '_Entity',
      '_Service',
      '_entities',
      '_service',
    ])
    expect(JSON.stringify(added)).not.toContain('"description":null')
  })

  test('is told to composers as the command prints it, also where introspection is off', async () => {
    const closed = gatewayWith({ FEDERATION: 'on', INTROSPECTION: 'off' })
    const { data } = await closed.graphql('{ _service { sdl } }')
    expect(data._service.sdl).toBe(printGraph(layout, 'federation'))
  })
})

describe('references', () => {
  test('are answered in their order, with null for what is unknown or invisible', async () => {
    const references = [
      member({ id: bobInAcme }),
      user({ id: eve.id }),
      user({ email: 'BOB@example.com' }),
      organization({ slug: evil.slug }),
      organization({ slug: acme.slug }),
      user({ id: bob.id }),
      member({ id: eveInEvil }),
      user({ id: 'unknown' }),
      organization({ id: acme.id }),
      user({ id: bob.id }),
      user({ email: eve.email }),
      member({ id: 'unknown' }),
    ]
    const { entities, codes } = await ask(references, await ada.jwt())
    const asUser = { __typename: 'User', name: 'Bob', email: bob.email }
    const asOrganization = { __typename: 'Organization', slug: acme.slug }
    const asMember = { __typename: 'Member', roles: ['member', 'approver'], user: { name: 'Bob' } }
    expect(codes).toEqual({})
    expect(entities).toEqual([
      asMember,
      null,
      asUser,
      null,
      asOrganization,
      asUser,
      null,
      null,
      asOrganization,
      asUser,
      null,
      null,
    ])
  })

  test('to memberships name their ends, and to teams their ids, as services keep them', async () => {
    const references = [
      ends(bob, acme),
      ends(eve, evil),
      ends(eve, acme),
      ends({ id: 'unknown' }, acme),
      team({ id: teamOfAcme }),
      team({ id: teamOfEvil }),
      team({ id: 'unknown' }),
    ]
    const bobs = { __typename: 'Member', roles: ['member', 'approver'], user: { name: 'Bob' } }
    const ward = { __typename: 'Team', name: 'Ward', organization: { slug: acme.slug } }
    expect(await ask(references, await ada.jwt())).toEqual({
      entities: [bobs, null, null, null, ward, null, null],
      codes: {},
    })
    const seen = await ask(references, await services.token())
    expect(seen.codes).toEqual({})
    expect(seen.entities.map((one: object | null) => one !== null)).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ])
  })

  test('to invitations are followed for the invited, once their address is proved, and for those who see them', async () => {
    const { id } = await identity.betterAuth.auth.api.createInvitation({
      body: { organizationId: evil.id, email: bob.email, role: 'member' },
      headers: eve.headers,
    })
    const of = async (token: string) =>
      ask([invitation({ id }), invitation({ id: 'unknown' })], token)
    const shown = [{ __typename: 'Invitation', organizationName: evil.name }, null]
    expect(await of(await eve.jwt())).toEqual({ entities: shown, codes: {} })
    expect((await of(await bob.jwt())).entities).toEqual([null, null])
    await sql('update users set email_verified = true where id = $1', [bob.id])
    expect((await of(await bob.jwt())).entities).toEqual(shown)
    await sql('update users set email_verified = false where id = $1', [bob.id])
    expect((await of(await ada.jwt())).entities).toEqual([null, null])
    expect((await of(await services.token('identity:read'))).codes).toEqual({
      '_entities.0': 'FORBIDDEN',
      '_entities.1': 'FORBIDDEN',
    })
    expect((await of(await services.token())).entities).toEqual(shown)
  })

  test('to people by their user names are followed for those who are shown these', async () => {
    const names = [
      user({ username: 'bob.b' }),
      user({ username: 'BOB.B' }),
      user({ username: 'nobody' }),
    ]
    const of = async (token: string) => (await ask(names, token)).entities
    const shown = [expect.objectContaining({ name: 'Bob' }), null, null]
    expect(await of(await bob.jwt())).toEqual(shown)
    expect(await of(await ada.jwt())).toEqual([null, null, null])
    expect(await of(await eve.jwt())).toEqual([null, null, null])
    expect(await of(await services.token('identity:read'))).toEqual(shown)
    expect((await ask(names, await services.token('identity:pii'))).codes).toEqual({
      '_entities.0': 'FORBIDDEN',
      '_entities.1': 'FORBIDDEN',
      '_entities.2': 'FORBIDDEN',
    })
  })

  test('may be written into the query', async () => {
    const { data } = await gateway.graphql(
      `query ($id: String) { _entities(representations: [{ __typename: "User", id: $id }]) { ... on User { name } } }`,
      { token: await ada.jwt(), variables: { id: bob.id } },
    )
    expect(data._entities).toEqual([{ name: 'Bob' }])
  })

  const bad: Record<string, unknown> = {
    'without a type': { id: 'x' },
    'to an unknown type': { __typename: 'Session', id: 'x' },
    'to a property of objects': { __typename: 'constructor', id: 'x' },
    'to a type that is no text': { __typename: ['User'], id: 'x' },
    'without a key': user({}),
    'with the key of another type': user({ slug: 'acme' }),
    'with a key that is null': user({ id: null }),
    'with a key that is no text': user({ id: { id: 'x' } }),
    'with a key that is a number': user({ id: 1 }),
    'with an empty key': user({ id: '' }),
    'with NUL in its key': organization({ slug: 'a\0' }),
    'with one end of a membership': member({ organization: { id: 'x' } }),
    'with ends that are text': member({ organization: 'x', user: 'y' }),
    'with an end that is no text': member({ organization: { id: 'x' }, user: { id: 1 } }),
    'with an end that is empty': member({ organization: { id: '' }, user: { id: 'x' } }),
    'with NUL in a user name': user({ username: 'a\0' }),
    'with a key too long': member({ id: 'x'.repeat(257) }),
    'that are text': 'User',
    'that are lists': [user({ id: 'x' })],
  }

  test.each(Object.keys(bad))('%s are refused alone', async (what) => {
    const good = user({ id: bob.id })
    const { entities, codes } = await ask([good, bad[what], good], await ada.jwt())
    expect(codes).toEqual({ '_entities.1': 'BAD_USER_INPUT' })
    expect(entities).toMatchObject([{ name: 'Bob' }, null, { name: 'Bob' }])
  })

  test('with two keys are decided by the first, and nothing in them is believed', async () => {
    const twice = user({ id: bob.id, email: eve.email, name: 'Mallory' })
    for (const reference of [twice, Object.fromEntries(Object.entries(twice).toReversed())]) {
      const { entities } = await ask([reference], await ada.jwt())
      expect(entities).toEqual([{ __typename: 'User', name: 'Bob', email: bob.email }])
    }
    const hidden = user({ id: eve.id, email: bob.email })
    expect((await ask([hidden], await ada.jwt())).entities).toEqual([null])
  })

  test('are answered up to a thousand, and one error tells of those beyond', async () => {
    const token = await ada.jwt()
    const thousand = Array.from({ length: 1000 }, (_, i) => user({ id: i ? `u${i}` : bob.id }))
    const { entities, codes } = await ask(thousand, token)
    expect(codes).toEqual({})
    expect([entities.length, entities[0].name, entities[999]]).toEqual([1000, 'Bob', null])
    const more = await ask([...thousand, ...thousand.slice(0, 800)], token)
    expect(more.codes).toEqual({ '_entities.1000': 'LIMIT_EXCEEDED' })
    expect([more.entities.length, more.entities[0].name]).toEqual([1800, 'Bob'])
    expect(new Set(more.entities.slice(1))).toEqual(new Set([null]))
  })

  test('are answered as many as LIMIT_REFERENCES says, and no others are paid for', async () => {
    const narrow = gatewayWith({ FEDERATION: 'on', LIMIT_REFERENCES: '2', LIMIT_COST: '60' })
    const send = async (count: number, more: Record<string, string> = {}) =>
      narrow.graphql(query, {
        token: await ada.jwt(),
        variables: { representations: Array(count).fill(user({ id: bob.id })) },
        ...more,
      })
    const two = await send(2)
    expect(two.errors).toEqual([])
    const { data, errors } = await send(200)
    const bobs = { __typename: 'User', name: 'Bob', email: bob.email }
    expect(data._entities.slice(0, 3)).toEqual([bobs, bobs, null])
    expect(errors).toMatchObject([
      {
        path: ['_entities', 2],
        message: expect.stringContaining('LIMIT_REFERENCES'),
        extensions: { code: 'LIMIT_EXCEEDED' },
      },
    ])
    await narrow.close()
  })

  test('of anonymous callers are refused each, and the list stands as the specification has it', async () => {
    expect(await ask([user({ id: bob.id }), member({ id: bobInAcme })], undefined)).toEqual({
      entities: [null, null],
      codes: { '_entities.0': 'UNAUTHENTICATED', '_entities.1': 'UNAUTHENTICATED' },
    })
  })

  test('of a service need the scope of their key', async () => {
    const references = [user({ id: eve.id }), user({ email: eve.email }), member({ id: eveInEvil })]
    expect((await ask(references, await services.token('identity:pii'))).codes).toEqual({
      '_entities.0': 'FORBIDDEN',
      '_entities.2': 'FORBIDDEN',
    })
    const reading = await ask(references, await services.token('identity:read'))
    expect(reading.codes).toEqual({ '_entities.1': 'FORBIDDEN', '_entities.0.email': 'FORBIDDEN' })
    expect(reading.entities).toMatchObject([
      { name: 'Eve', email: null },
      null,
      { roles: ['owner'] },
    ])
  })

  test('of a banned user, and of one who was deleted, are refused', async () => {
    for (const [name, change] of [
      ['Barred', 'update users set banned = true where id = $1'],
      ['Gone', 'delete from users where id = $1'],
    ] as const) {
      const person = await identity.signUp(name)
      const token = await person.jwt()
      await sql(change, [person.id])
      const references = [user({ id: person.id }), organization({ id: acme.id })]
      expect((await ask(references, token)).codes).toEqual({
        '_entities.0': 'UNAUTHENTICATED',
        '_entities.1': 'UNAUTHENTICATED',
      })
    }
  })
})

describe('with a prefix', () => {
  const prefixed = gatewayWith({ FEDERATION: 'on', FEDERATION_PREFIX: 'Identity' })
  const text = printGraph(layout, 'federation', { prefix: 'Identity' })
  const namesIn = (sdl: string) =>
    [...sdl.matchAll(/^(?:type|input|enum|scalar) (\w+)/gm)].map(([, name]) => name).toSorted()

  test('what is served has the types that are printed for composers', async () => {
    const { data } = await prefixed.graphql(`{ _service { sdl } __schema { types { name } } }`)
    expect(data._service.sdl).toBe(text)
    const served = (data.__schema.types as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => !/^_|^(ID|String|Int|Boolean|Float)$/.test(name))
    expect(served.toSorted()).toEqual(namesIn(text))
    expect(namesIn(text)).toEqual(expect.arrayContaining(['IdentitySession', 'IdentityPermission']))
    const kept = namesIn(text).filter((name) => !name?.startsWith('Identity'))
    expect(kept).toEqual([
      ...[
        'DateTime',
        'Invitation',
        'JSON',
        'Member',
        'Organization',
        'PageInfo',
        'Query',
        'Subscription',
        'Team',
        'User',
      ],
    ])
  })

  test('answers are the same, also after it has been compiled, and cost the same', async () => {
    const token = await ada.jwt()
    const asked = `query ($p: PERMISSION!) { viewer { sessions { nodes { __typename } } organizations {
      nodes { viewerCan(permission: $p) members(filter: { roles: ["owner"] }) { __typename totalCount } } } } }`
    const plain = await gateway.graphql(asked.replace('PERMISSION', 'Permission'), {
      token,
      variables: { p: 'leave:approve' },
    })
    for (let time = 0; time < 12; time++) {
      const answer = await prefixed.graphql(asked.replace('PERMISSION', 'IdentityPermission'), {
        token,
        variables: { p: 'leave:approve' },
      })
      expect(answer.errors).toEqual([])
      expect(JSON.stringify(answer.data)).toBe(
        JSON.stringify(plain.data)
          .replaceAll('"__typename":"', '"__typename":"Identity')
          .replaceAll('IdentityUser"', 'User"'),
      )
    }
    const { entities } = await ask([user({ id: bob.id })], token)
    expect(entities).toHaveLength(1)
  })

  test('entities are found by the names they keep', async () => {
    const { data } = await prefixed.graphql(query, {
      token: await ada.jwt(),
      variables: { representations: [user({ id: bob.id }), team({ id: teamOfAcme })] },
    })
    expect(data._entities).toMatchObject([{ __typename: 'User' }, { __typename: 'Team' }])
  })

  test('types that nobody else knows by name are the only ones that it is before', () => {
    const plain = printGraph(layout, 'federation')
    expect(text.replaceAll('Identity', '')).toBe(plain.replaceAll('Identity', ''))
  })
})

describe('statements', () => {
  const statementsOf = (representations: readonly unknown[], token: string) =>
    recordStatements(identity.database.name, () => ask(representations, token))
  const many = (make: (i: number) => unknown) => Array.from({ length: 300 }, (_, i) => make(i))

  const kinds: Record<string, (i: number) => unknown> = {
    'User by id': (i) => user({ id: i === 7 ? bob.id : `u${i}` }),
    'User by e-mail': (i) => user({ email: i === 7 ? bob.email : `u${i}@example.com` }),
    'Organization by id': (i) => organization({ id: i === 7 ? acme.id : `o${i}` }),
    'Organization by slug': (i) => organization({ slug: i === 7 ? acme.slug : `o${i}` }),
    'User by user name': (i) => user({ username: i === 7 ? 'bob.b' : `u${i}` }),
    'Member by id': (i) => member({ id: i === 7 ? bobInAcme : `m${i}` }),
    'Member by its ends': (i) => ends(i === 7 ? bob : { id: `u${i}` }, acme),
    'Team by id': (i) => team({ id: i === 7 ? teamOfAcme : `t${i}` }),
  }

  test.each(Object.keys(kinds))('%s: as many for 300 as for one', async (kind) => {
    const make = kinds[kind] as (i: number) => unknown
    for (const [token, most] of [
      [await ada.jwt(), 2],
      [await services.token(), 1],
    ] as const) {
      const one = await statementsOf([make(7)], token)
      const all = await statementsOf(many(make), token)
      expect(all).toHaveLength(one.length)
      // Of a team, its organization is asked for as well.
      expect(all).toHaveLength(kind === 'Team by id' ? most + 1 : most)
    }
  })

  test('a mixed list: as many as it has kinds, however long', async () => {
    const token = await ada.jwt()
    const mixed = (count: number) =>
      many((i) => Object.values(kinds)[i % 8]?.(i < 8 ? 7 : i)).slice(0, count)
    // One for each kind, one for what the caller sees of those named by id, and one more for each of the others.
    for (const count of [8, 25, 300])
      expect((await statementsOf(mixed(count), token)).length).toBeLessThanOrEqual(13)
  })

  test('what is unknown costs what is invisible costs', async () => {
    const token = await ada.jwt()
    for (const [unknown, invisible] of [
      [user({ id: 'unknown' }), user({ id: eve.id })],
      [user({ email: 'unknown@example.com' }), user({ email: eve.email })],
      [organization({ id: 'unknown' }), organization({ id: evil.id })],
      [organization({ slug: 'unknown' }), organization({ slug: evil.slug })],
      [member({ id: 'unknown' }), member({ id: eveInEvil })],
      [ends(eve, { id: 'unknown' }), ends(eve, evil)],
      [team({ id: 'unknown' }), team({ id: teamOfEvil })],
      [user({ username: 'unknown' }), user({ username: 'bob.b' })],
    ]) {
      const [one, other] = [
        await statementsOf([unknown], token),
        await statementsOf([invisible], token),
      ]
      expect(one.toSorted()).toEqual(other.toSorted())
    }
  })
})
