import { getIntrospectionQuery } from 'graphql'
import { afterAll, describe, expect, test } from 'vitest'
import { createGateway, type Gateway, loadConfig } from '../../src/gateway.ts'
import { samples } from '../../src/http/graphiql/samples.ts'
import { documentedBlocks } from '../support/documentation.ts'

/** Nothing can be resolved here: with its database away, what gets as far as that is UNAVAILABLE. */
function gatewayWith(environment: Readonly<Record<string, string>> = {}): Gateway {
  const gateway = createGateway(
    loadConfig({
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
      AUTH_ISSUER: 'https://auth.example.com',
      LOG_LEVEL: 'silent',
      ...environment,
    }),
  )
  gateways.push(gateway)
  return gateway
}

const gateways: Gateway[] = []
const usual = gatewayWith()

afterAll(async () => {
  for (const gateway of gateways) await gateway.close()
})

interface Answer {
  readonly status: number
  readonly data?: unknown
  readonly errors?: readonly { message: string; extensions: { code: string } }[]
}

async function ask(
  query: string,
  {
    gateway = usual,
    accept = 'application/json',
    ...more
  }: { gateway?: Gateway; accept?: string; variables?: object; operationName?: string } = {},
): Promise<Answer> {
  const response = await gateway.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, ...more }),
    }),
  )
  return { status: response.status, ...((await response.json()) as object) }
}

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ')

/** The way down: a field, and the type it is selected on. */
const steps = [
  ['User', 'organizations(first: 1)'],
  ['UserOrganizationConnection', 'nodes'],
  ['Organization', 'member(userId: "a")'],
  ['Member', 'user'],
] as const
const step = (index: number) =>
  index === 0 ? (['Query', 'viewer'] as const) : (steps[(index - 1) % 4] ?? steps[0])

/** So many fields above one another. */
const deep = (levels: number) =>
  `{ ${times(levels - 1, (i) => `${step(i)[1]} {`)} __typename ${'}'.repeat(levels)}`

/** The same by fragments. */
const deepFragments = (levels: number) =>
  `{ ...F0 } ${times(levels, (i) => {
    const [type, field] = step(i)
    const body = i === levels - 1 ? '__typename' : `${field} { ...F${i + 1} }`
    return `fragment F${i} on ${type} { ${body} }`
  })}`

interface Limited {
  readonly at: (count: number) => string
  readonly limit: number
  readonly words: RegExp
  /** Absent: it is the same everywhere. */
  readonly variable?: string
}

const limited: Record<string, Limited> = {
  depth: { at: deep, limit: 12, words: /levels/, variable: 'LIMIT_DEPTH' },
  'depth by fragments': {
    at: deepFragments,
    limit: 12,
    words: /levels/,
    variable: 'LIMIT_DEPTH',
  },
  aliases: {
    at: (count) => `{ viewer { ${times(count, (i) => `a${i}: name`)} } }`,
    limit: 100,
    words: /aliases/,
    variable: 'LIMIT_ALIASES',
  },
  fields: {
    at: (count) => `{ ${times(count, (i) => `n${i}`)} }`,
    limit: 1500,
    words: /fields/,
  },
  'operations and fragments': {
    at: (count) => `{ ...F2 } ${times(count - 1, (i) => `fragment F${i} on Query { __typename }`)}`,
    limit: 80,
    words: /fragments/,
  },
  variables: {
    at: (count) => `query (${times(count, (i) => `$v${i}: Int`)}) { __typename }`,
    limit: 100,
    words: /variables/,
  },
  values: {
    at: (count) => `{ usersByIds(ids: [${'"a" '.repeat(count - 1)}]) { id } }`,
    limit: 420,
    words: /values/,
  },
  arguments: {
    at: (count) => `{ users(${times(count, (i) => `a${i}: 1`)}) { totalCount } }`,
    limit: 50,
    words: /arguments/,
  },
  'values in one another': {
    at: (count) => `{ usersByIds(ids: ${'['.repeat(count)}${']'.repeat(count)}) { id } }`,
    limit: 12,
    words: /levels/,
    variable: 'LIMIT_DEPTH',
  },
  characters: {
    at: (count) => ` { user(id: "${'a'.repeat(count - 23)}") { id } } `,
    limit: 40_000,
    words: /characters/,
  },
  lines: {
    at: (count) => `{ __typename ${'\r'.repeat(count)}}`,
    limit: 2000,
    words: /tokens/,
    variable: 'LIMIT_TOKENS',
  },
  'aliases of __typename': {
    at: (count) => `{ ${times(count, (i) => `a${i}: __typename`)} }`,
    limit: 100,
    words: /aliases/,
    variable: 'LIMIT_ALIASES',
  },
  directives: {
    at: (count) => `{ __typename ${'@aa '.repeat(count)} }`,
    limit: 50,
    words: /directives/,
    variable: 'LIMIT_DIRECTIVES',
  },
  tokens: {
    at: (count) =>
      `{ ${times(Math.floor((count - 2) / 6), (i) => `n${i}(a: 1)`)} ${times((count - 2) % 6, (i) => `m${i}`)} }`,
    limit: 2000,
    words: /tokens/,
    variable: 'LIMIT_TOKENS',
  },
  comments: {
    at: (count) => `{ __typename }${'#\n'.repeat(count)}`,
    limit: 2000,
    words: /tokens/,
    variable: 'LIMIT_TOKENS',
  },
  cost: {
    at: (count) =>
      `{ viewer { organizations(first: 100) { nodes { members(first: 90) { pageInfo { hasNextPage } } } } sessions(first: ${count - 9908}) { pageInfo { hasNextPage } } } }`,
    limit: 10_000,
    words: /points/,
    variable: 'LIMIT_COST',
  },
}

describe.each(Object.entries(limited))('the limit of %s', (_name, { at, limit, words }) => {
  test('refuses what is above it, before anything is resolved, and says so', async () => {
    const { data, errors } = await ask(at(limit + 1))
    expect(errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED' } }])
    expect(errors?.[0]?.message).toMatch(words)
    expect(errors?.[0]?.message).toContain(String(limit))
    expect(data ?? null).toBeNull()
  })

  test('lets pass what is at it', async () => {
    const { errors = [] } = await ask(at(limit))
    expect(errors.map(({ extensions }) => extensions.code)).not.toContain('LIMIT_EXCEEDED')
  })
})

test.each(Object.entries(limited).filter(([, { variable }]) => variable))(
  'the limit of %s is what its variable says',
  async (_name, { at, limit, words, variable }) => {
    const gateway = gatewayWith({ [variable ?? '']: '5' })
    const { errors } = await ask(at(limit), { gateway })
    expect(errors?.[0]?.message).toMatch(words)
    expect(errors?.[0]?.message).toContain('limit of 5.')
  },
)

test('a refusal is 400, or 200 for those who ask for application/json', async () => {
  expect((await ask(deep(13))).status).toBe(200)
  expect((await ask(deep(13), { accept: 'application/graphql-response+json' })).status).toBe(400)
})

test('variables decide the cost of each request by itself', async () => {
  const query =
    'query ($n: Int) { viewer { organizations(first: $n) { nodes { members(first: $n) { nodes { id } } } } } }'
  for (const [n, code] of [
    [10, undefined],
    [100, 'LIMIT_EXCEEDED'],
    [10, undefined],
  ] as const) {
    const { errors } = await ask(query, { variables: { n } })
    expect(errors?.[0]?.extensions.code).toBe(code)
  }
})

describe('what makes validation dear is refused before it:', () => {
  test.each([
    ['the same field many times', `{ viewer { ${'id '.repeat(1400)} } }`],
    ['objects many times', `{ ${'viewer { id } '.repeat(400)} }`],
    ['inline fragments', `{ viewer { ${'... { id } '.repeat(400)} } }`],
    [
      'fragments in a chain',
      `{ viewer { ...F0 } } ${times(78, (i) => `fragment F${i} on User { id image name ...F${i + 1} }`)} fragment F78 on User { id }`,
    ],
  ])('%s', async (_what, query) => {
    const { errors } = await ask(query)
    expect(errors).toMatchObject([
      { message: expect.stringContaining('same name'), extensions: { code: 'LIMIT_EXCEEDED' } },
    ])
  })

  test('fragments that contain themselves are told so', async () => {
    const { errors } = await ask(
      '{ viewer { ...A } } fragment A on User { organizations { nodes { member(userId: "a") { user { ...B } } } } } fragment B on User { id ...A }',
    )
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('Cannot spread fragment'),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ])
  })

  test('no more than a few errors are told', async () => {
    const { errors } = await ask(`{ viewer { ${times(900, (i) => `n${i}`)} } }`)
    expect(errors?.length).toBeLessThanOrEqual(6)
    for (const { extensions } of errors ?? [])
      expect(extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
  })
})

test('of variables that do not fit, no more than a few are told', async () => {
  const query = 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }'
  for (let time = 0; time < 12; time++) {
    const { errors } = await ask(query, { variables: { ids: Array(200).fill({}) } })
    expect(errors?.length).toBeLessThanOrEqual(6)
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  }
})

describe('an honest document passes:', () => {
  const [first] = samples
  const introspection = {
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  }
  test.each([
    ['the introspection of GraphiQL', getIntrospectionQuery(introspection)],
    ['the first query of GraphiQL', first?.query ?? ''],
    ...documentedBlocks()
      .filter(({ language, text }) => language === 'graphql' && text.startsWith('{'))
      .map(({ page, line, text }) => [`the query of ${page}, line ${line}`, text]),
  ])('%s', async (_what, query) => {
    const answer = await ask(query)
    expect(answer.errors).toBeUndefined()
    expect(answer.data).toBeDefined()
  })

  test('fragments side by side that repeat one another', async () => {
    const one = (i: number) => `fragment F${i} on User { id name image __typename }`
    const { errors } = await ask(`{ viewer { ${times(40, (i) => `...F${i}`)} } } ${times(40, one)}`)
    expect(errors).toBeUndefined()
  })
})

describe('names that the client did not name', () => {
  const queries = [
    ['{ viewr { id } }', {}],
    ['{ viewer { nam } }', {}],
    ['{ users(frist: 1) { nodes { id } } }', {}],
    ['{ users(orderBy: { field: NAM, direction: ASC }) { nodes { id } } }', {}],
    [
      'query ($o: UserOrder) { users(orderBy: $o) { nodes { id } } }',
      { o: { field: 'NAM', direction: 'ASC' } },
    ],
    [
      'query ($o: UserOrder) { users(orderBy: $o) { nodes { id } } }',
      { o: { feld: 'NAME', direction: 'ASC' } },
    ],
    ['{ viewer { ... on Usr { id } } }', {}],
  ] as const

  test.each(queries)('are suggested where introspection is on: %s %j', async (query, variables) => {
    const { errors } = await ask(query, { variables })
    expect(JSON.stringify(errors)).toMatch(/did you mean/i)
  })

  test.each(queries)('and never in production: %s %j', async (query, variables) => {
    const gateway = gatewayWith({ NODE_ENV: 'production' })
    const { errors = [] } = await ask(query, { gateway, variables })
    expect(errors.length).toBeGreaterThan(0)
    expect(JSON.stringify(errors)).not.toMatch(/did you mean/i)
  })
})

test('a list much longer than its field takes is refused unread', async () => {
  const query = 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }'
  const { data, errors } = await ask(query, { variables: { ids: Array(126).fill({}) } })
  expect(data ?? null).toBeNull()
  expect(errors).toMatchObject([
    { message: '$ids takes at most 100 entries.', extensions: { code: 'BAD_USER_INPUT' } },
  ])
})

test('what clients send is told again in short', async () => {
  const { errors } = await ask(`{ ${'n'.repeat(9000)} }`)
  expect(errors?.[0]?.message).toMatch(/^Cannot query field "n{300,500}…$/)
})

describe('a body of too many values is 413 with a code', () => {
  const most = 1500
  const around = JSON.stringify({ query: '{ __typename }', variables: { v: [] } })
  /** The braces, brackets and commas of the parameters and of the document are values as well. */
  const json = (values: number) => around.replace('[]', JSON.stringify(Array(values - 4).fill(1)))
  const form = (values: number) =>
    new URLSearchParams({ query: '{ __typename }', variables: `[${'1,'.repeat(values - 2)}1]` })

  test.each([
    ['JSON', 'application/json', json],
    ['a form', 'application/x-www-form-urlencoded', form],
  ])('as %s', async (_what, type, body) => {
    for (const values of [most, most + 1]) {
      const response = await gatewayWith({}).fetch(
        new Request('http://gateway/graphql', {
          method: 'POST',
          headers: { 'content-type': type },
          body: String(body(values)),
        }),
      )
      const { errors = [] } = (await response.json()) as Answer
      const codes = errors.map(({ extensions }) => extensions.code)
      if (values === most) expect(codes).not.toContain('LIMIT_EXCEEDED')
      else expect([response.status, codes]).toEqual([413, ['LIMIT_EXCEEDED']])
    }
  })
})

describe('a body above the limit is 413 with a code', () => {
  test.each(['100', '102400'])('of %s bytes', async (limit) => {
    const gateway = gatewayWith({ LIMIT_BODY_BYTES: limit })
    const padded = (bytes: number) => {
      const body = JSON.stringify({ query: '{ __typename }', extensions: { pad: '' } })
      return body.replace('"pad":""', `"pad":"${'x'.repeat(bytes - body.length)}"`)
    }
    for (const [bytes, status] of [
      [Number(limit), 200],
      [Number(limit) + 1, 413],
    ] as const) {
      const response = await gateway.fetch(
        new Request('http://gateway/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: padded(bytes),
        }),
      )
      expect(response.status).toBe(status)
      const { errors = [] } = (await response.json()) as Answer
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(
        status === 200 ? [] : ['LIMIT_EXCEEDED'],
      )
    }
  })
})
