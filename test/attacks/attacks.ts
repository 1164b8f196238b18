import { getIntrospectionQuery } from 'graphql'

export interface Attack {
  readonly name: string
  /** Each time another text, so that nothing is answered from a cache of documents. */
  readonly request: (time: number) => AttackRequest
  /** What it must be answered with. */
  readonly codes: readonly string[]
}

export interface AttackRequest {
  readonly method?: string
  /** Of the query string. */
  readonly search?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ')

const json = (value: unknown): AttackRequest => ({ body: JSON.stringify(value) })

const LIMIT = ['LIMIT_EXCEEDED']
const INVALID = ['GRAPHQL_VALIDATION_FAILED']
const PARSE = ['GRAPHQL_PARSE_FAILED']
const INPUT = ['BAD_USER_INPUT']
const REQUEST = ['BAD_REQUEST']

/** As many as the limits let through have to be looked at. */
const allowed: readonly (readonly [string, readonly string[], string])[] = [
  ['unknown fields', INVALID, `{ viewer { ${times(1490, (i) => `nam${i}`)} } }`],
  ['unknown arguments', INVALID, `{ users(${times(50, (i) => `fist${i}: 1`)}) { totalCount } }`],
  ['the same argument', INVALID, `{ users(${'first: 1 '.repeat(50)}) { totalCount } }`],
  ['unused variables', INVALID, `query (${times(100, (i) => `$v${i}: Int`)}) { __typename }`],
  ['undefined variables', INVALID, `{ usersByIds(ids: [${times(410, (i) => `$v${i}`)}]) { id } }`],
  [
    'unused fragments',
    INVALID,
    `{ __typename } ${times(79, (i) => `fragment F${i} on User { id }`)}`,
  ],
  [
    'circular fragments',
    INVALID,
    `{ viewer { ...F0 } } ${times(79, (i) => `fragment F${i} on User { ...F${(i + 1) % 79} }`)}`,
  ],
  ['nested lists', INVALID, `{ usersByIds(ids: ${'['.repeat(12)}${']'.repeat(12)}) { id } }`],
  ['a long name', INVALID, `{ ${'n'.repeat(39_900)} }`],
  ['a long string', INPUT, `{ user(id: "${'\\u0058'.repeat(6600)}") { id } }`],
  ['a block string of many lines', INPUT, `{ user(id: """${'n\n'.repeat(1990)}x""") { id } }`],
]

/** Documents: by what they overload, with what they are refused as. */
const documents: readonly (readonly [string, readonly string[], string])[] = [
  ['alias overload', LIMIT, `{ ${times(101, (i) => `a${i}: viewer { id }`)} }`],
  ['alias overload of __typename', LIMIT, `{ ${times(600, (i) => `a${i}: __typename`)} }`],
  ['directive overload', LIMIT, `{ __typename ${'@aa '.repeat(900)} }`],
  ['known directives', LIMIT, `{ __typename ${'@skip(if: false) '.repeat(300)} }`],
  ['field duplication', LIMIT, `{ viewer { ${'id '.repeat(1900)} } }`],
  ['object duplication', LIMIT, `{ ${'viewer { id } '.repeat(390)} }`],
  [
    'duplication by fragments',
    LIMIT,
    `{ viewer { ${times(150, (i) => `...F${i}`)} } } ${times(150, (i) => `fragment F${i} on User { id name }`)}`,
  ],
  [
    'fragments in a chain',
    LIMIT,
    `{ viewer { ...F0 } } ${times(150, (i) => `fragment F${i} on User { id ...F${i + 1} }`)} fragment F150 on User { id }`,
  ],
  [
    'fragments that double',
    LIMIT,
    `{ ...F0 } ${times(11, (i) => `fragment F${i} on Query { a: viewer { organizations { nodes { id } } } ...F${i + 1} ... { ...F${i + 1} } }`)} fragment F11 on Query { ${times(90, (i) => `b${i}: viewer { id }`)} }`,
  ],
  [
    'circular fragments',
    INVALID,
    '{ viewer { ...A } } fragment A on User { organizations { nodes { member(userId: "a") { user { ...B ...B } } } } } fragment B on User { id ...A }',
  ],
  [
    'many circular fragments',
    LIMIT,
    `{ viewer { ...F0 } } ${times(150, (i) => `fragment F${i} on User { ...F${(i + 1) % 150} }`)}`,
  ],
  [
    'deep nesting',
    LIMIT,
    `{ viewer ${'{ organizations { nodes { member(userId: "a") { user '.repeat(100)} { id } ${'} } } }'.repeat(100)} }`,
  ],
  ['nesting without end', PARSE, `${'{a'.repeat(990)}`],
  ['deep list', LIMIT, `{ usersByIds(ids: ${'['.repeat(980)}${']'.repeat(980)}) { id } }`],
  [
    'deep object',
    LIMIT,
    `{ users(filter: ${'{search: '.repeat(480)}"a"${'}'.repeat(480)}) { totalCount } }`,
  ],
  [
    'cost by page sizes',
    LIMIT,
    '{ viewer { organizations(first: 100) { nodes { members(first: 100) { nodes { user { id } } } } } } }',
  ],
  ['tokens', LIMIT, `{ ${'id '.repeat(33_000)} }`],
  ['comments', LIMIT, `{ __typename } ${'#\n'.repeat(33_000)}`],
  ['unknown fields', LIMIT, `{ viewer { ${times(1900, (i) => `nam${i}`)} } }`],
  ['unknown arguments', LIMIT, `{ users(${times(600, (i) => `fist${i}: 1`)}) { totalCount } }`],
  ['the same argument', LIMIT, `{ users(${'first: 1 '.repeat(600)}) { totalCount } }`],
  ['unused variables', LIMIT, `query (${times(400, (i) => `$v${i}: Int`)}) { __typename }`],
  ['undefined variables', LIMIT, `{ usersByIds(ids: [${times(900, (i) => `$v${i}`)}]) { id } }`],
  ['unknown fragments', LIMIT, `{ ${times(600, (i) => `...F${i}`)} }`],
  [
    'unused fragments',
    LIMIT,
    `{ __typename } ${times(200, (i) => `fragment F${i} on User { id }`)}`,
  ],
  ['a long name', LIMIT, `{ ${'n'.repeat(90_000)} }`],
  ['a long string', LIMIT, `{ user(id: "${'\\u0058'.repeat(12_000)}") { id } }`],
  ['a block string of many lines', LIMIT, `{ user(id: """${'n\n'.repeat(25_000)}x""") { id } }`],
  ['a string that does not end', LIMIT, `{ user(id: "${'n'.repeat(90_000)}`],
  ['an error far away', LIMIT, `{ viewer { id } } ${' '.repeat(90_000)}}`],
  [
    'circular introspection',
    INVALID,
    '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }',
  ],
  [
    'aliased introspection',
    LIMIT,
    `{ ${times(90, (i) => `a${i}: __schema { types { fields { args { name } } } }`)} }`,
  ],
  ['a mutation', ['READ_ONLY'], `mutation { ${times(90, (i) => `a${i}: viewer { id }`)} }`],
]

const parameters: readonly (readonly [
  string,
  readonly string[],
  (time: number) => AttackRequest,
])[] = [
  [
    'many operations over many fragments',
    LIMIT,
    () =>
      json({
        query: `${times(120, (i) => `query A${i} { ...F0 }`)} ${times(70, (i) => `fragment F${i} on Query { viewer { id } ...F${i + 1} }`)} fragment F70 on Query { viewer { id } }`,
        operationName: 'A0',
      }),
  ],
  [
    'cost by variables',
    LIMIT,
    () =>
      json({
        query:
          'query ($n: Int) { viewer { organizations(first: $n) { nodes { members(first: $n) { nodes { user { id } } } } } } }',
        variables: { n: 100 },
      }),
  ],
  [
    'too many ids',
    LIMIT,
    (time) =>
      json({
        query: 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }',
        variables: { ids: Array.from({ length: 8000 }, (_, i) => `u${time}${i}`) },
      }),
  ],
  [
    'too many checks',
    LIMIT,
    (time) =>
      json({
        query: 'query ($c: [PermissionCheckInput!]!) { checkPermissions(checks: $c) { allowed } }',
        variables: {
          c: Array.from({ length: 1500 }, () => ({
            permission: 'a:b',
            organizationId: `c${time}`,
          })),
        },
      }),
  ],
  [
    'ids of other types',
    LIMIT,
    () =>
      json({
        query: 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }',
        variables: { ids: Array.from({ length: 9000 }, () => ({})) },
      }),
  ],
  [
    'variables of endless nesting',
    LIMIT,
    () => ({
      body: `{"query":"query ($id: ID!) { user(id: $id) { id } }","variables":{"id":${'['.repeat(45_000)}${']'.repeat(45_000)}}}`,
    }),
  ],
  [
    'variables that nobody declared',
    LIMIT,
    (time) =>
      json({
        query: '{ __typename }',
        variables: Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`v${time}${i}`, i])),
      }),
  ],
  [
    'as many ids as a body may hold',
    INPUT,
    (time) =>
      json({
        query: 'query ($ids: [ID!]!) { usersByIds(ids: $ids) { id } }',
        variables: { ids: Array.from({ length: 1490 }, (_, i) => `u${time}${i}`) },
      }),
  ],
  [
    'as many checks as a body may hold',
    INPUT,
    (time) =>
      json({
        query: 'query ($c: [PermissionCheckInput!]!) { checkPermissions(checks: $c) { allowed } }',
        variables: {
          c: Array.from({ length: 450 }, (_, i) => ({
            permission: 'a:b',
            organizationId: `${time}${i}`,
          })),
        },
      }),
  ],
  [
    'as many names as a body may hold',
    [],
    (time) =>
      json({
        query: '{ __typename }',
        variables: Object.fromEntries(Array.from({ length: 1490 }, (_, i) => [`v${time}${i}`, i])),
      }),
  ],
  [
    'batching',
    LIMIT,
    () => json(Array.from({ length: 1000 }, () => ({ query: '{ viewer { id } }' }))),
  ],
  ['a body that is no JSON', LIMIT, () => ({ body: '{"query":'.repeat(10_000) })],
  ['a body that is nearly JSON', REQUEST, () => ({ body: '{"query":'.repeat(1490) })],
  ['a long body that is no JSON', REQUEST, () => ({ body: `{"query":"${'n'.repeat(90_000)}` })],
  [
    'a long cursor in a variable',
    INPUT,
    (time) =>
      json({
        query: 'query ($after: String) { viewer { memberships(after: $after) { totalCount } } }',
        variables: { after: `${time}${'n'.repeat(90_000)}` },
      }),
  ],
  [
    'a long id in a variable',
    INPUT,
    (time) =>
      json({
        query: 'query ($id: ID!) { user(id: $id) { id } }',
        variables: { id: `${time}${'n'.repeat(90_000)}` },
      }),
  ],
  [
    'nesting of variables, as much as may be',
    INPUT,
    () => ({
      body: `{"query":"query ($id: ID!) { user(id: $id) { id } }","variables":{"id":${'['.repeat(1490)}${']'.repeat(1490)}}}`,
    }),
  ],
  [
    'a body above the limit',
    LIMIT,
    () => json({ query: '{ __typename }', pad: 'x'.repeat(102_400) }),
  ],
  [
    'a long cursor',
    LIMIT,
    () =>
      json({
        query: `{ viewer { memberships(after: "${'n'.repeat(90_000)}") { totalCount } } }`,
      }),
  ],
  ['a long GET', PARSE, () => ({ method: 'GET', search: `?query=${'%7B'.repeat(1900)}` })],
]

/** Tried without a credential or with an honest one; tokens are attacked elsewhere. */
export const attacks: readonly Attack[] = [
  ...[
    ...documents,
    ...allowed.map(([name, codes, query]) => [`${name}, as many as may be`, codes, query] as const),
  ].map(([name, codes, query]) => ({
    name,
    codes,
    request: (time: number) => json({ query: `# ${time}\n${query}` }),
  })),
  ...parameters.map(([name, codes, request]) => ({ name, codes, request })),
]

export const introspection = getIntrospectionQuery({ inputValueDeprecation: true })
