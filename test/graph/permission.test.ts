import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asRoles, statements as everything } from '../../src/demo/access-control.ts'
import { codesOf } from '../support/codes.ts'
import type { Person } from '../support/identity.ts'
import { useRedis } from '../support/redis.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const redisServer = useRedis()
const redis = new Redis(redisServer.url)
const withRedis = {
  REDIS_URL: redisServer.url,
  REDIS_KEY_PREFIX: redisServer.prefix,
  REDIS_TIMEOUT_MS: '2000',
}
const { gateway, gatewayWith, identity, services, ada, bob, carol, eve, root, acme, evil } =
  await world({ own: true, environment: withRedis })

beforeAll(async () => {
  await gateway.graphql('{ viewer { id } }', { token: await ada.jwt() })
})

afterAll(() => redis.quit())

interface Question {
  readonly permission?: string
  readonly organizationId: string
  readonly userId?: string | undefined
  readonly consistency?: 'CACHED' | 'FRESH'
}

function ask(question: Question, token: string | undefined) {
  return gateway.graphql(
    `query ($permission: Permission!, $organizationId: ID!, $userId: ID, $consistency: Consistency! = CACHED) {
      can(permission: $permission, organizationId: $organizationId, userId: $userId, consistency: $consistency) }`,
    { token, variables: { permission: 'leave:approve', ...question } },
  )
}

/** The answer to a question that is answered. */
async function can(question: Question, token: string | undefined): Promise<boolean> {
  const { data, errors } = await ask(question, token)
  expect(errors).toEqual([])
  return data.can
}

const sqlOf = (work: () => Promise<unknown>) => recordStatements(identity.database.name, work)

describe('with Redis', () => {
  const keyOf = ({ id }: Person) => `${redisServer.prefix}permissions:{${acme.id}}:${id}`

  test('the first question reads the members table once and writes one key for 300 seconds', async () => {
    const token = await bob.jwt()
    expect(await redis.keys(`${redisServer.prefix}*`)).toEqual([])
    const sql = await sqlOf(async () => {
      expect(await can({ organizationId: acme.id }, token)).toBe(true)
    })
    expect(sql).toHaveLength(1)
    expect(sql[0]).toContain('"members"')
    await expect.poll(() => redis.keys(`${redisServer.prefix}*`)).toEqual([keyOf(bob)])
    const ttl = await redis.ttl(keyOf(bob))
    expect(ttl).toBeGreaterThanOrEqual(1)
    expect(ttl).toBeLessThanOrEqual(300)
    expect(ttl).toBeGreaterThan(290)
    expect(JSON.parse((await redis.get(keyOf(bob))) ?? '')).toMatchObject({
      roles: ['member', 'approver'],
      permissions: ['ac:read', 'leave:approve', 'leave:request'],
    })
  })

  test('the second question runs no SQL, from another gateway as well', async () => {
    const token = await bob.jwt()
    const other = gatewayWith(withRedis)
    await other.graphql('{ viewer { id } }', { token })
    const sql = await sqlOf(async () => {
      expect(await can({ organizationId: acme.id }, token)).toBe(true)
      expect(await can({ organizationId: acme.id, permission: 'report:read' }, token)).toBe(false)
      const elsewhere = await other.graphql(
        `{ can(permission: "leave:approve", organizationId: "${acme.id}") }`,
        { token },
      )
      expect(elsewhere.data).toEqual({ can: true })
    })
    await other.close()
    expect(sql).toEqual([])
  })

  test('FRESH reads the table each time, and what it read serves the cached questions', async () => {
    const token = await bob.jwt()
    const setRole = (role: string) =>
      identity.sql('update members set role = $2 where user_id = $1', [bob.id, role])
    const cached = { organizationId: acme.id }
    await setRole('member')
    expect(await can(cached, token)).toBe(true)
    const sql = await sqlOf(async () => {
      for (let i = 0; i < 2; i++)
        expect(await can({ ...cached, consistency: 'FRESH' }, token)).toBe(false)
    })
    expect(sql).toHaveLength(2)
    await expect.poll(() => can(cached, token)).toBe(false)
    await setRole('member,approver')
    expect(await can({ ...cached, consistency: 'FRESH' }, token)).toBe(true)
  })

  test('that one who is no member may do nothing is remembered for a short time', async () => {
    expect(await can({ organizationId: acme.id }, await eve.jwt())).toBe(false)
    await expect.poll(() => redis.exists(keyOf(eve))).toBe(1)
    expect(await redis.ttl(keyOf(eve))).toBeLessThanOrEqual(30)
  })

  test('a value that somebody spoiled is read anew', async () => {
    const token = await carol.jwt()
    for (const spoiled of ['', 'null', '{"permissions":["leave:approve"]}', 'x'.repeat(10_000)]) {
      await redis.set(keyOf(carol), spoiled, 'EX', 300)
      expect(await can({ organizationId: acme.id }, token)).toBe(false)
      await expect.poll(() => redis.get(keyOf(carol))).not.toBe(spoiled)
    }
  })
})

describe('who may ask about whom:', () => {
  const tokens = {
    nobody: async () => undefined,
    ada: () => ada.jwt(),
    carol: () => carol.jwt(),
    eve: () => eve.jwt(),
    'a platform admin': () => root.jwt(),
    'a service': () => services.token('permissions:check'),
    'a service that may only read': () => services.token('identity:read identity:pii'),
  }
  type Case = [keyof typeof tokens, string, () => Question, boolean | string]
  const inAcme = (userId?: string): Question => ({ organizationId: acme.id, userId })
  const cases: Case[] = [
    ['nobody', 'Ada', () => inAcme(ada.id), 'UNAUTHENTICATED'],
    ['ada', 'herself', () => inAcme(), true],
    ['ada', 'herself by id', () => inAcme(ada.id), true],
    ['ada', 'the approver Bob', () => inAcme(bob.id), true],
    ['ada', 'the member Carol', () => inAcme(carol.id), false],
    ['ada', 'a stranger in Acme', () => inAcme(eve.id), false],
    ['ada', 'nobody in Acme', () => inAcme('absent'), false],
    ['ada', 'Eve in Evil', () => ({ organizationId: evil.id, userId: eve.id }), false],
    ['ada', 'herself in Evil', () => ({ organizationId: evil.id }), false],
    ['ada', 'herself nowhere', () => ({ organizationId: 'absent' }), false],
    ['carol', 'the approver Bob', () => inAcme(bob.id), true],
    ['eve', 'herself in Evil', () => ({ organizationId: evil.id }), true],
    ['eve', 'the approver Bob', () => inAcme(bob.id), false],
    ['a platform admin', 'Eve in Evil', () => ({ organizationId: evil.id, userId: eve.id }), true],
    ['a platform admin', 'the member Carol', () => inAcme(carol.id), false],
    ['a platform admin', 'themself in Acme', () => inAcme(), false],
    ['a service', 'the approver Bob', () => inAcme(bob.id), true],
    ['a service', 'the member Carol', () => inAcme(carol.id), false],
    ['a service', 'Eve in Evil', () => ({ organizationId: evil.id, userId: eve.id }), true],
    ['a service', 'nobody', () => inAcme('absent'), false],
    ['a service', 'whom it does not say', () => inAcme(), 'BAD_USER_INPUT'],
    ['a service that may only read', 'the approver Bob', () => inAcme(bob.id), 'FORBIDDEN'],
    ['a service that may only read', 'whom it does not say', () => inAcme(), 'FORBIDDEN'],
  ]

  test.each(cases)('%s about %s', async (caller, _whom, question, expected) => {
    const token = await tokens[caller]()
    for (const consistency of ['CACHED', 'FRESH'] as const) {
      const answer = await ask({ ...question(), consistency }, token)
      if (typeof expected === 'string') expect(codesOf(answer)).toEqual({ can: expected })
      else expect(answer).toMatchObject({ data: { can: expected }, errors: [] })
    }
  })

  test.each([
    ['banned', 'update users set banned = true where id = $1'],
    ['deleted', 'delete from users where id = $1'],
  ])(
    'one who was %s may do nothing, and their own question is UNAUTHENTICATED',
    async (how, sql) => {
      const person = await identity.signUp(`Soon ${how}`)
      await identity.addMember(acme, person, 'owner')
      const token = await person.jwt()
      const about: Question = { organizationId: acme.id, userId: person.id, consistency: 'FRESH' }
      expect(await can(about, token)).toBe(true)
      await identity.sql(sql, [person.id])
      expect(await can(about, await services.token())).toBe(false)
      expect(await can(about, await ada.jwt())).toBe(false)
      for (const consistency of ['CACHED', 'FRESH'] as const)
        expect(codesOf(await ask({ ...about, consistency }, token))).toEqual({
          can: 'UNAUTHENTICATED',
        })
    },
  )
})

describe('every way to ask agrees with Better Auth’s has-permission for', () => {
  const permissions = Object.entries(everything.statements).flatMap(([resource, actions]) =>
    actions.map((action) => [resource, action] as const),
  )
  const questions = [...permissions, ['leave', 'reject'], ['unknown', 'read']] as const

  beforeAll(async () => {
    await identity.betterAuth.auth.api.createOrgRole({
      body: {
        organizationId: acme.id,
        role: 'clerk',
        permission: { leave: ['approve'], report: ['export'] },
      },
      headers: ada.headers,
    })
  })

  test.each([
    [['owner']],
    [['admin']],
    [['member']],
    [['approver']],
    [['auditor']],
    [['recruiter']],
    [['clerk']],
    [['member', 'auditor', 'clerk']],
    [['nothing-known']],
    [['Owner']],
  ])('the roles %j', async (roles) => {
    const person = await identity.signUp(`Has ${roles.join(' and ')} ${crypto.randomUUID()}`)
    const member = await identity.addMember(acme, person, ...asRoles(['member']))
    await identity.sql('update members set role = $2 where id = $1', [member, roles.join(',')])
    const theirs = await Promise.all(
      questions.map(([resource, action]) => hasPermission(person, resource, action)),
    )
    const aliased = (field: string, rest = '') =>
      questions
        .map(
          ([resource, action], i) =>
            `${field}${i}: ${field}(permission: "${resource}:${action}"${rest})`,
        )
        .join(' ')
    const answer = await gateway.graphql(
      `{ ${aliased('can', `, organizationId: "${acme.id}"`)}
         organization(id: "${acme.id}") {
           viewerPermissions ${aliased('viewerCan')}
           viewerMembership { permissions ${aliased('can')} } } }`,
      { token: await person.jwt() },
    )
    expect(answer.errors).toEqual([])
    const { organization, ...atDoor } = answer.data
    const { viewerPermissions, viewerMembership, ...viewerCan } = organization
    const { permissions: held, ...memberCan } = viewerMembership
    const granted = questions.flatMap((pair, i) => (theirs[i] ? [pair.join(':')] : [])).sort()
    expect(Object.values(atDoor)).toEqual(theirs)
    expect(Object.values(viewerCan)).toEqual(theirs)
    expect(Object.values(memberCan)).toEqual(theirs)
    expect(viewerPermissions).toEqual(granted)
    expect(held).toEqual(granted)
  })

  async function hasPermission(person: Person, resource: string, action: string): Promise<boolean> {
    const response = await fetch(`${identity.betterAuth.url}/organization/has-permission`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${person.session}`,
      },
      body: JSON.stringify({ organizationId: acme.id, permissions: { [resource]: [action] } }),
    })
    expect(response.status).toBe(200)
    return ((await response.json()) as { success: boolean }).success
  }
})

describe('a permission that is not resource:action', () => {
  const malformed = ['', 'leave', ':approve', 'leave:', ':', `leave:${'x'.repeat(300)}`]

  test.each(malformed)('%j in a variable is BAD_USER_INPUT', async (permission) => {
    const answer = await ask({ organizationId: acme.id, permission }, await ada.jwt())
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })

  test.each([...malformed.map((text) => JSON.stringify(text)), '7', 'null', 'leave', '["a:b"]'])(
    '%s in the query is an error of the client',
    async (literal) => {
      const answer = await gateway.graphql(
        `{ can(permission: ${literal}, organizationId: "${acme.id}") }`,
        { token: await ada.jwt() },
      )
      expect(answer.errors.length).toBeGreaterThan(0)
      for (const { extensions } of answer.errors)
        expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(extensions.code)
    },
  )

  test('with a second colon has an action with a colon, which nobody holds', async () => {
    const question = { organizationId: acme.id, permission: 'leave:approve:all' }
    expect(await can(question, await ada.jwt())).toBe(false)
  })
})

test.each(['', 'a\0b', 'x'.repeat(257)])('the id %j is BAD_USER_INPUT, alone', async (id) => {
  const token = await ada.jwt()
  for (const question of [{ organizationId: id }, { organizationId: acme.id, userId: id }])
    expect(codesOf(await ask(question, token))).toEqual({ can: 'BAD_USER_INPUT' })
})
