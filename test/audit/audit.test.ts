import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { personalFields } from '../../src/access/audiences.ts'
import { decisions } from '../../src/audit/decisions.ts'
import { createTrail } from '../../src/audit/trail.ts'
import type { AuditRecord } from '../../src/gateway.ts'
import { RequestScope } from '../../src/scope.ts'
import { questionsOf, readRoute, typeAt } from '../graph/matrix/reader.ts'
import { routesOf } from '../graph/matrix/routes.ts'
import { callers, matrixWorld } from '../graph/matrix/world.ts'
import { documentedBlocks } from '../support/documentation.ts'

const matrix = await matrixWorld()
const { schema, environment, gatewayWith, services, ada, bob, carol, root, acme } = matrix
const records: AuditRecord[] = []
const sink = { write: (record: AuditRecord) => records.push(record) }
const gateway = gatewayWith({ ...environment, FEDERATION: 'on', AUDIT_LOG: 'both' }, sink)
const everything = 'identity:read identity:pii permissions:check'

/** What was recorded of one request, and its answer. */
async function ask(query: string, token: string | undefined, of = gateway) {
  const answer = await of.graphql(query, { token })
  const requestId = answer.headers.get('x-request-id')
  return { answer, recorded: records.filter((record) => record.requestId === requestId) }
}

const fieldsOf = (name: string) =>
  Object.keys((schema.getType(name) as GraphQLObjectType).getFields())
const personal = [
  ...personalFields,
  ...['Session', 'Account', 'ScimUser'].flatMap((type) =>
    fieldsOf(type).map((field) => `${type}.${field}`),
  ),
]

/** What is shown to nobody but its owner. */
const ownAlone = [
  'receivedInvitations',
  'passkeys',
  'apiKeys',
  'connectedApps',
  'subscriptions',
].map((field) => `User.${field}`)

describe('a read of personal data', () => {
  const routes = Object.keys(routesOf(matrix)).filter((route) => {
    const type = typeAt(schema, routesOf(matrix)[route] ?? [])
    return personal.some((field) => field.startsWith(`${type.name}.`))
  })
  const told = new Set<string>()

  /** The others are shown less than one of these, or the same. */
  const some = callers.filter(
    (caller) => !/^anonymous|invited|left|permissions:check|no scope/.test(caller),
  )
  test.each(some)(
    'on every way to it by %s is recorded, unless it is their own',
    async (caller) => {
      const token = await matrix.tokens[caller]()
      for (const route of routes) {
        const type = typeAt(schema, routesOf(matrix)[route] ?? []).name
        const before = records.length
        const seen = await readRoute(schema, matrix, route, (query) =>
          gateway.graphql(query, { token }),
        )
        const shown = questionsOf(schema, matrix, route)
          .filter(({ key }) => ['value', 'null', 'empty', 'false'].includes(seen[key] ?? ''))
          .map(({ key }) => `${type}.${key.split('/')[0]}`)
          .filter((field) => personal.includes(field))
        const isOwn = caller === 'themself' && type !== 'Organization'
        const recorded = records
          .slice(before)
          .flatMap((record) => (record.audit === 'pii' ? record.fields : []))
          .filter((field) => field.startsWith(`${type}.`))
        expect(new Set(recorded), route).toEqual(new Set(isOwn ? [] : shown))
        for (const field of recorded) told.add(field)
      }
    },
  )

  test('was made of every personal field that anybody but its owner is shown', () => {
    expect([...told].sort()).toEqual(personal.filter((field) => !ownAlone.includes(field)).sort())
  })

  test('is one record of a request, a person and what was read of them', async () => {
    const token = await services.token(everything, { sub: 'payroll' })
    const { recorded } = await ask(
      `{ users(first: 100) { nodes { name email } }
         user(id: "${ada.id}") { phoneNumber sessions { nodes { ipAddress } } username }
         organization(id: "${acme.id}") { invitations { totalCount } members { nodes { user { email } } } } }`,
      token,
    )
    expect(recorded.find(({ userId }) => userId === ada.id)).toEqual({
      audit: 'pii',
      time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      requestId: expect.any(String),
      caller: { kind: 'service', subject: 'payroll', scopes: everything.split(' ') },
      userId: ada.id,
      fields: expect.toSatisfy((fields: readonly string[]) => {
        const all = ['Session.ipAddress', 'User.email', 'User.phoneNumber', 'User.sessions']
        return [...fields].sort().join() === all.join()
      }),
    })
    expect(recorded.filter(({ organizationId }) => organizationId)).toMatchObject([
      { organizationId: acme.id, fields: ['Organization.invitations'] },
    ])
    const people = recorded.flatMap(({ userId }) => userId ?? [])
    expect(new Set(people).size).toBe(people.length)
    expect(people).toHaveLength(8)
  })

  test('is also to find somebody by it', async () => {
    const token = await services.token(everything)
    const byEmail = `{ __typename: "User", email: "${ada.email}" }`
    const byId = `{ __typename: "User", id: "${bob.id}" }`
    const unknown = '{ __typename: "User", email: "nobody@example.com" }, { __typename: "Nothing" }'
    for (const query of [
      `{ userByEmail(email: "${ada.email}") { id } }`,
      `{ usersByEmails(emails: ["nobody@example.com", "${ada.email}"]) { id } }`,
      `{ _entities(representations: [${byId}, ${unknown}, ${byEmail}]) { ... on User { name } } }`,
    ]) {
      const { recorded } = await ask(query, token)
      expect(recorded).toMatchObject([{ audit: 'pii', userId: ada.id, fields: ['User.email'] }])
    }
    const { recorded } = await ask(
      '{ users(filter: { role: "admin", banned: true }) { totalCount } }',
      token,
    )
    expect(recorded).toMatchObject([{ userId: root.id, fields: ['User.role', 'User.banned'] }])
  })

  test('one invitation by its id', async () => {
    const token = await services.token(everything)
    const { recorded } = await ask(
      `{ invitation(id: "${matrix.ids.pending}") { email } absent: invitation(id: "no") { id } }`,
      token,
    )
    expect(recorded).toMatchObject([
      { audit: 'pii', organizationId: acme.id, fields: ['Query.invitation'] },
    ])
  })
})

describe('a decision', () => {
  const subject = { userId: carol.id, organizationId: acme.id }
  const permission = 'leave:approve'
  const arguments_ = `permission: "${permission}"`
  const about = `organizationId: "${acme.id}", userId: "${carol.id}", ${arguments_}`
  const organization = (field: string) => `organization(id: "${acme.id}") { ${field} }`
  const listing = { permission, consistency: 'FRESH', source: 'DATABASE' }
  /** By field: how carol, who may not, or ada, who may, is asked about, and what is recorded of it. */
  const cases: Readonly<Record<string, readonly [query: string, record: object]>> = {
    'Query.can': [`can(${about})`, { ...subject, permission, allowed: false }],
    'Query.checkPermissions': [
      `checkPermissions(checks: [{ ${about} }]) { allowed }`,
      { ...subject, permission, allowed: false },
    ],
    'Query.explainPermission': [
      `explainPermission(${about}) { reason }`,
      { ...subject, permission, allowed: false },
    ],
    'Organization.viewerCan': [
      organization(`viewerCan(${arguments_})`),
      { ...subject, userId: ada.id, permission, allowed: true },
    ],
    'Organization.viewerPermissions': [
      organization('viewerPermissions'),
      { ...subject, userId: ada.id, permissions: expect.arrayContaining([permission]) },
    ],
    'Member.can': [
      organization(`member(userId: "${carol.id}") { can(${arguments_}) }`),
      { ...subject, permission, allowed: false },
    ],
    'Member.permissions': [
      organization(`member(userId: "${carol.id}") { permissions }`),
      { ...subject, permissions: expect.not.arrayContaining([permission]) },
    ],
    'Organization.members': [
      organization(
        `members(filter: { ${arguments_}, userIds: ["${ada.id}", "${carol.id}"] }) { totalCount }`,
      ),
      { ...listing, organizationId: acme.id, userIds: [ada.id] },
    ],
    'User.memberships': [
      `user(id: "${carol.id}") { memberships(filter: { ${arguments_} }) { totalCount } }`,
      { ...listing, userId: carol.id, organizationIds: [] },
    ],
    'User.organizations': [
      `viewer { organizations(filter: { ${arguments_} }) { totalCount } }`,
      { ...listing, userId: ada.id, organizationIds: expect.arrayContaining([acme.id]) },
    ],
  }

  test('is told by these fields and no others', () => {
    /** Roles are nobody's permissions, and what a decision has of its own has been told with it. */
    const others = [
      'ExplainedRole.permissions',
      'OrganizationRole.permissions',
      'PermissionDecision.permission',
    ]
    const speaksOf = (type: GraphQLInputType): boolean => {
      const named = getNamedType(type)
      if (isInputObjectType(named))
        return Object.values(named.getFields()).some(({ type }) => speaksOf(type))
      return named.name === 'Permission'
    }
    const telling = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type)
        ? Object.values(type.getFields())
            .filter(
              (field) =>
                getNamedType(field.type).name === 'Permission' ||
                field.args.some((argument: GraphQLArgument) => speaksOf(argument.type)),
            )
            .map(({ name }) => `${type.name}.${name}`)
        : [],
    )
    expect(telling.filter((field) => !others.includes(field)).sort()).toEqual(
      Object.keys(cases).sort(),
    )
    expect(Object.keys(decisions).sort()).toEqual(Object.keys(cases).sort())
  })

  test.each(Object.entries(cases))('of %s is recorded', async (field, [query, record]) => {
    // Often enough that the document is compiled.
    for (let time = 0; time < 12; time++) {
      const { answer, recorded } = await ask(`{ ${query} }`, await ada.jwt())
      expect(answer.errors).toEqual([])
      expect(recorded).toEqual([
        {
          audit: 'decision',
          time: expect.any(String),
          requestId: answer.headers.get('x-request-id'),
          caller: { kind: 'user', userId: ada.id },
          field,
          consistency: 'CACHED',
          source: expect.stringMatching(/^(CACHE|DATABASE)$/),
          ageSeconds: expect.toSatisfy((age: number) => age >= 0 && age < 300),
          ...record,
        },
      ])
    }
  })

  test('says how fresh it is', async () => {
    const of = gatewayWith({ AUDIT_LOG: 'decisions' }, sink)
    const asked = async (consistency: string) => {
      const { recorded } = await ask(
        `{ can(${about}, consistency: ${consistency}) }`,
        await ada.jwt(),
        of,
      )
      return recorded
    }
    expect(await asked('CACHED')).toMatchObject([{ source: 'DATABASE', consistency: 'CACHED' }])
    expect(await asked('CACHED')).toMatchObject([{ source: 'CACHE', consistency: 'CACHED' }])
    expect(await asked('FRESH')).toMatchObject([{ source: 'DATABASE', consistency: 'FRESH' }])
  })

  test('is what the caller was told, also where they are told nothing', async () => {
    const { recorded } = await ask(
      `{ can(organizationId: "${acme.id}", userId: "${ada.id}", ${arguments_}) }`,
      await matrix.eve.jwt(),
    )
    expect(recorded).toMatchObject([{ userId: ada.id, allowed: false }])
  })

  test("is nobody's where a service asks what the viewer may", async () => {
    const { recorded } = await ask(
      `{ ${organization(`viewerPermissions viewerCan(${arguments_})`)} }`,
      await services.token(everything),
    )
    expect(recorded).toEqual([])
  })
})

describe('only what was told is recorded', () => {
  const email = `a: user(id: "${ada.id}") { email }`
  const reading = { audit: 'pii', userId: ada.id, fields: ['User.email'] }
  const nothing = `can(permission: "leave:approve", organizationId: "", userId: "${ada.id}")`

  test.each([
    ['beside a field that fails', `${email} b: user(id: "") { email }`, [reading]],
    [
      'beside a field that is refused',
      `a: user(id: "${ada.id}") { email receivedInvitations { totalCount } }`,
      [reading],
    ],
    [
      'beside a list that fails',
      `a: user(id: "${ada.id}") { email memberships(first: 1000) { totalCount } }`,
      [reading],
    ],
    ['beside a decision that fails', `${email} ${nothing}`, [reading]],
    [
      'where it fails itself',
      `a: user(id: "${ada.id}") { sessions(first: 1000) { totalCount } }`,
      [],
    ],
    [
      'in a list that fails below',
      `a: user(id: "${ada.id}") { email sessions { nodes { id } totalCount edges { cursor } } } b: organizationsByIds(ids: ["${acme.id}"]) { members(first: 1000) { totalCount } }`,
      [{ ...reading, fields: expect.arrayContaining(['User.email']) }],
    ],
    ['in a document that is refused', `${email} nothing`, []],
    ['of what is skipped', `a: user(id: "${ada.id}") { id email @skip(if: true) }`, []],
  ])('%s', async (_, query, expected) => {
    const token = await services.token(everything)
    for (let time = 0; time < 12; time++) {
      const { recorded } = await ask(`{ ${query} }`, token)
      expect(recorded).toMatchObject(expected)
      expect(recorded).toHaveLength(expected.length)
    }
  })

  test('once for each request of a batch, and nothing without a credential', async () => {
    const { recorded } = await ask(`{ ${email} }`, undefined)
    expect(recorded).toEqual([])
    const token = await services.token(everything)
    const response = await gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify([{ query: `{ ${email} }` }, { query: `{ ${email} }` }]),
      }),
    )
    const requestId = response.headers.get('x-request-id')
    expect(records.filter((record) => record.requestId === requestId)).toMatchObject([
      reading,
      reading,
    ])
  })
})

test('nothing is recorded of what comes after the answer to the request was given up', () => {
  const scope = new RequestScope({
    address: 'unknown',
    id: 'late',
    method: 'POST',
    path: '/graphql',
  })
  const trail = createTrail({ kind: 'user', userId: ada.id }, scope, sink)
  trail.note(['user', 'email'], false, [{ audit: 'pii', userId: bob.id, fields: ['User.email'] }])
  scope.ended = true
  trail.end({ data: {} })
  expect(records.filter(({ requestId }) => requestId === 'late')).toEqual([])
  scope.ended = false
  trail.end({ data: {} })
  expect(records.filter(({ requestId }) => requestId === 'late')).toHaveLength(1)
})

test('the records that docs/auditing.md shows are like those that are made', () => {
  const keysOf = (record: object) => Object.keys(record).sort().join()
  const shown = documentedBlocks()
    .filter(({ language }) => language === 'jsonl')
    .flatMap(({ text }) => text.split('\n'))
  expect(shown).toHaveLength(2)
  for (const line of shown) expect(records.map(keysOf)).toContain(keysOf(JSON.parse(line)))
})

test('no record holds a value', () => {
  const text = JSON.stringify(records)
  expect(records.length).toBeGreaterThan(100)
  for (const value of ['@example', 'spam', '192.0.2.1', '2020-01-01', ada.name, 'Bearer'])
    expect(text).not.toContain(value)
})

test('a file without anything to record is not made', async () => {
  const of = gatewayWith({ AUDIT_LOG_FILE: '/nowhere/audit.log' })
  await expect(of.verify()).resolves.toBeUndefined()
})

test.each([
  ['off', []],
  ['decisions', ['decision']],
  ['pii', ['pii']],
  ['both', ['decision', 'pii']],
])('AUDIT_LOG=%s', async (kinds, expected) => {
  const of = gatewayWith({ AUDIT_LOG: kinds }, sink)
  const { answer, recorded } = await ask(
    `{ user(id: "${ada.id}") { email } can(permission: "a:b", organizationId: "x", userId: "${ada.id}") }`,
    await services.token(everything),
    of,
  )
  expect(answer.errors).toEqual([])
  expect(recorded.map(({ audit }) => audit)).toEqual(expected)
})

test('a sink that throws keeps the request from being answered', async () => {
  const of = gatewayWith(
    { AUDIT_LOG: 'pii' },
    {
      write: () => {
        throw new Error('full')
      },
    },
  )
  const answer = await of.graphql(`{ user(id: "${ada.id}") { email } }`, {
    token: await services.token(everything),
  })
  expect(answer).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL' } }] })
  expect(answer.data).toBeUndefined()
})
