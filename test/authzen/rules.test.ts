import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/gateway.ts'
import { createSigner } from '../support/tokens.ts'
import { type Answer, authzenWorld, toAnswer } from './world.ts'

const of = await authzenWorld()
const { ada, bob, carol, eve, root, acme, evil, services, sql } = of
const records: AuditRecord[] = []
const sink = { write: (record: AuditRecord) => records.push(record) }
const gateway = await of.serve({ AUDIT_LOG: 'both', METRICS_PORT: '0' }, sink)
const { ask } = gateway

const user = (id: string) => ({ type: 'user', id })
const leaveOf = (organizationId: string) => ({
  type: 'leave',
  id: '42',
  properties: { organizationId },
})
const organization = (id: string) => ({ type: 'organization', id })
const mayApprove = (id: string, organizationId = acme.id) => ({
  subject: user(id),
  action: { name: 'approve' },
  resource: leaveOf(organizationId),
})
const evaluate = (body: unknown, token?: string | null) =>
  ask('/access/v1/evaluation', { body, ...(token !== undefined && { token }) })
const evaluateAll = (body: unknown, token?: string) =>
  ask('/access/v1/evaluations', { body, ...(token && { token }) })
const search = (what: string, body: unknown, token?: string) =>
  ask(`/access/v1/search/${what}`, { body, ...(token && { token }) })
const decisionOf = ({ status, body }: Answer) => (status === 200 ? body.decision : status)

describe('a question', () => {
  test('is about the organization that the resource names, and of no other resource its id', async () => {
    expect(decisionOf(await evaluate(mayApprove(ada.id)))).toBe(true)
    expect(decisionOf(await evaluate(mayApprove(carol.id)))).toBe(false)
    expect(decisionOf(await evaluate(mayApprove(ada.id, evil.id)))).toBe(false)
    const updates = { subject: user(ada.id), action: { name: 'update' } }
    const own = { ...updates, resource: organization(acme.id) }
    expect(decisionOf(await evaluate(own))).toBe(true)
    // The id of a leave can be the text that is the id of an organization.
    const collides = { ...mayApprove(ada.id), resource: { type: 'leave', id: acme.id } }
    expect(decisionOf(await evaluate(collides))).toBe(false)
    const other = { ...own, resource: { ...own.resource, properties: { organizationId: evil.id } } }
    expect(decisionOf(await evaluate(other))).toBe(false)
  })

  test('with a colon in the type is not that of another permission', async () => {
    await sql(
      `insert into organization_roles (id, organization_id, role, permission, created_at)
         values ('colon', $1, 'owner', '{"leave":["by:night"]}', now())`,
      [acme.id],
    )
    const asked = (type: string, name: string) => ({
      subject: user(ada.id),
      action: { name },
      resource: { ...leaveOf(acme.id), type },
      context: { consistency: 'FRESH' },
    })
    expect(decisionOf(await evaluate(asked('leave', 'by:night')))).toBe(true)
    expect(decisionOf(await evaluate(asked('leave:by', 'night')))).toBe(false)
    const { body } = await search('action', { ...asked('leave:by', ''), action: undefined })
    expect(body).toEqual({ results: [] })
  })

  test.each([
    [
      'a subject of another type',
      { ...mayApprove(ada.id), subject: { type: 'group', id: ada.id } },
    ],
    ['nobody', mayApprove('nobody')],
    ['nowhere', mayApprove(ada.id, 'nowhere')],
  ])('about %s is answered no', async (_what, body) => {
    expect((await evaluate(body)).body).toEqual({ decision: false })
  })

  test.each([
    ['an organization that is no text', { ...mayApprove(ada.id), resource: leaveOf(7 as never) }],
    [
      'properties that are a list',
      { ...mayApprove(ada.id), resource: { ...leaveOf(''), properties: [] } },
    ],
    ['an id with NUL', mayApprove('a\0b')],
    ['an empty id', mayApprove('')],
    ['an id that is far too long', mayApprove('a'.repeat(300))],
    ['context that is text', { ...mayApprove(ada.id), context: 'now' }],
    ['a list', [mayApprove(ada.id)]],
    ['null', 'null'],
  ])('with %s is refused with 400', async (_what, body) => {
    expect(await evaluate(body)).toMatchObject({ status: 400, text: expect.stringMatching(/./) })
  })

  test('is answered by what was committed before it, where it says so', async () => {
    const fresh = { ...mayApprove(carol.id), context: { consistency: 'FRESH' } }
    expect(decisionOf(await evaluate(mayApprove(carol.id)))).toBe(false)
    await sql("update members set role = 'approver' where user_id = $1", [carol.id])
    expect(decisionOf(await evaluate(mayApprove(carol.id)))).toBe(false)
    expect(decisionOf(await evaluate(fresh))).toBe(true)
    await sql("update members set role = 'member' where user_id = $1", [carol.id])
    expect(decisionOf(await evaluate(fresh))).toBe(false)
  })
})

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

describe(`whatever is sent, with SEED=${seed},`, () => {
  /** As a rule what is understood, and else anything. */
  const mostly = (...honest: readonly unknown[]) =>
    fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...honest) }, fc.jsonValue())
  const entity = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record(
        {
          type: mostly('user', 'leave', 'organization'),
          id: mostly(ada.id, acme.id, '\u0000', '\ud800', '🦉'),
          name: mostly('approve', 'update', ':'),
          properties: mostly({ organizationId: acme.id }, {}),
        },
        { requiredKeys: ['type', 'id', 'name'] },
      ),
    },
    fc.jsonValue(),
  )
  const members = {
    subject: entity,
    action: entity,
    resource: entity,
    context: mostly({ explain: true }, { consistency: 'FRESH' }),
  }
  const requiredKeys = ['subject', 'action', 'resource'] as const
  const question = fc.record(members, { requiredKeys: [] })
  const body = fc.record(
    {
      ...members,
      evaluations: fc.oneof(fc.array(fc.oneof(question, fc.jsonValue())), fc.jsonValue()),
      options: fc.oneof(
        fc.constant({ evaluations_semantic: 'deny_on_first_deny' }),
        fc.jsonValue(),
      ),
      page: fc.oneof(fc.record({ limit: fc.nat(), token: fc.string() }), fc.jsonValue()),
    },
    { requiredKeys: [...requiredKeys] },
  )
  const paths = ['evaluation', 'evaluations', 'search/subject', 'search/resource', 'search/action']

  test('it is answered or refused with 400, and nothing breaks', async () => {
    const seen = new Set<number>()
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, sent) => {
        const { status, body } = await ask(`/access/v1/${path}`, { body: sent })
        seen.add(status)
        expect([200, 400]).toContain(status)
        if (status === 200)
          expect(Object.keys(body).join()).toMatch(
            /^(decision(,context)?|evaluations|(page,)?results)$/,
          )
      }),
      { seed, numRuns: 1500 },
    )
    expect(seen).toEqual(new Set([200, 400]))
  })
})

describe('who may ask', () => {
  test('is who may ask the graph: nobody without a credential, and none that is bad', async () => {
    for (const path of [
      ...['evaluation', 'evaluations', 'search/subject', 'search/resource', 'search/action'],
    ])
      for (const token of [null, 'none']) {
        const answer = await ask(`/access/v1/${path}`, { body: mayApprove(ada.id), token })
        expect({ path, status: answer.status }).toEqual({ path, status: 401 })
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
        expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
      }
  })

  test('of services are those with the scope, for lists with that of reading as well', async () => {
    const check = await services.token('permissions:check')
    const read = await services.token('identity:read identity:pii')
    expect(decisionOf(await evaluate(mayApprove(ada.id), check))).toBe(true)
    expect(await evaluate(mayApprove(ada.id), read)).toMatchObject({
      status: 403,
      text: 'This needs the scope permissions:check.\n',
    })
    expect((await evaluateAll({ evaluations: [mayApprove(ada.id)] }, read)).status).toBe(403)
    const nobodys = { ...mayApprove(ada.id), subject: { type: 'group', id: 'a' } }
    expect((await evaluate(nobodys, read)).status).toBe(403)
    for (const [what, statuses] of Object.entries({
      subject: [403, 403, 200],
      resource: [403, 403, 200],
      action: [200, 403, 200],
    })) {
      const tokens = [check, read, of.serviceToken]
      const found = await Promise.all(tokens.map((one) => search(what, mayApprove(ada.id), one)))
      expect({ what, statuses: found.map(({ status }) => status) }).toEqual({ what, statuses })
    }
  })

  test('of users are told about themselves and in their own organizations', async () => {
    const [asAda, asEve, asRoot] = [await ada.jwt(), await eve.jwt(), await root.jwt()]
    expect(decisionOf(await evaluate(mayApprove(ada.id), asAda))).toBe(true)
    expect(decisionOf(await evaluate(mayApprove(bob.id), asAda))).toBe(true)
    expect(decisionOf(await evaluate(mayApprove(eve.id, evil.id), asAda))).toBe(false)
    expect(decisionOf(await evaluate(mayApprove(eve.id, evil.id), asEve))).toBe(true)
    expect(decisionOf(await evaluate(mayApprove(eve.id, evil.id), asRoot))).toBe(true)
    const whoIn = (id: string) => search('subject', mayApprove('ignored', id), asAda)
    expect((await whoIn(evil.id)).body).toEqual({ results: [] })
    expect((await whoIn(acme.id)).body.results).toEqual([user(ada.id), user(bob.id)])
    const whereMay = (id: string) => ({
      subject: user(id),
      action: { name: 'update' },
      resource: { type: 'organization' },
    })
    expect((await search('resource', whereMay(ada.id), asAda)).body.results).toEqual([
      organization(acme.id),
    ])
    expect((await search('resource', whereMay(eve.id), asAda)).body.results).toEqual([])
    expect((await search('resource', whereMay(eve.id), of.serviceToken)).body.results).toEqual([
      organization(evil.id),
    ])
    expect((await search('action', mayApprove(eve.id, evil.id), asAda)).body.results).toEqual([])
    expect((await search('action', mayApprove(bob.id), asAda)).body.results).toEqual([
      { name: 'approve' },
      { name: 'request' },
    ])
  })

  test('ends with the account', async () => {
    const token = await bob.jwt()
    const fresh = (id: string) => ({ ...mayApprove(id), context: { consistency: 'FRESH' } })
    await sql('update users set banned = true where id = $1', [bob.id])
    for (const answer of [
      await evaluate(fresh(bob.id), token),
      await evaluate(fresh(ada.id), token),
      await evaluateAll({ evaluations: [fresh(ada.id)] }, token),
      await search('subject', mayApprove(ada.id), token),
      await search('resource', { ...fresh(bob.id), resource: { type: 'organization' } }, token),
      await search('action', fresh(bob.id), token),
    ])
      expect(answer.status).toBe(401)
    expect(decisionOf(await evaluate(fresh(bob.id)))).toBe(false)
    await sql('update users set banned = false where id = $1', [bob.id])
    expect(decisionOf(await evaluate(fresh(bob.id)))).toBe(true)
  })
})

describe('several questions', () => {
  const evaluations = [ada, carol, bob].map(({ id }) => mayApprove(id))
  const [yes, no] = [{ decision: true }, { decision: false }]

  test.each([
    [undefined, [yes, no, yes]],
    ['execute_all', [yes, no, yes]],
    ['deny_on_first_deny', [yes, no]],
    ['permit_on_first_permit', [yes]],
  ])('are told as far as %s says', async (semantic, expected) => {
    const options = semantic && { evaluations_semantic: semantic, another: 1 }
    const { body } = await evaluateAll({ evaluations, options })
    expect(body).toEqual({ evaluations: expected })
  })

  test('that cannot be read are denials of their own', async () => {
    const error = {
      decision: false,
      context: { error: { status: 400, message: expect.any(String) } },
    }
    const broken = [mayApprove(ada.id), 7, { subject: 'ada' }, mayApprove(bob.id)]
    expect((await evaluateAll({ evaluations: broken })).body).toEqual({
      evaluations: [yes, error, error, yes],
    })
    const options = { evaluations_semantic: 'deny_on_first_deny' }
    expect((await evaluateAll({ evaluations: broken, options })).body).toEqual({
      evaluations: [yes, error],
    })
  })

  test('are at most a hundred, which also fit when each gives everything', async () => {
    const hundred = Array.from({ length: 100 }, () => mayApprove(ada.id))
    expect((await evaluateAll({ evaluations: hundred })).body.evaluations).toHaveLength(100)
    const more = [...hundred, mayApprove(ada.id)]
    expect((await evaluateAll({ evaluations: more })).status).toBe(400)
  })

  test.each([
    ['a semantic that nobody knows', { evaluations_semantic: 'maybe' }, evaluations],
    ['options that are no object', 'execute_all', evaluations],
    ['evaluations that are no list', {}, { length: 1 }],
  ])('with %s are refused with 400', async (_what, options, evaluations) => {
    expect((await evaluateAll({ evaluations, options })).status).toBe(400)
  })
})

describe('why', () => {
  const asked = (id: string, organizationId?: string) => ({
    ...mayApprove(id, organizationId),
    context: { explain: true, consistency: 'FRESH' },
  })

  test('is told to whoever asks for it, by the names of the graph', async () => {
    const token = await services.token('permissions:check')
    const { body } = await evaluate(asked(bob.id), token)
    expect(body).toEqual({
      decision: true,
      context: {
        reason: 'GRANTED',
        member: true,
        active: true,
        rows: 1,
        roles: [
          {
            name: 'member',
            row: 1,
            source: 'STATIC',
            grants: false,
            permissions: ['ac:read', 'leave:request'],
          },
          {
            name: 'approver',
            row: 1,
            source: 'STATIC',
            grants: true,
            permissions: ['leave:approve'],
          },
        ],
        grantedBy: ['approver'],
        grantingRoles: ['admin', 'approver', 'owner'],
        readAt: expect.stringMatching(/Z$/),
        source: 'DATABASE',
        resolvedAt: expect.stringMatching(/Z$/),
        ageSeconds: expect.any(Number),
      },
    })
    expect((await evaluate(mayApprove(bob.id), token)).body).toEqual({ decision: true })
    const all = await evaluateAll({ evaluations: [asked(carol.id), mayApprove(bob.id)] }, token)
    expect(all.body.evaluations).toMatchObject([
      { decision: false, context: { reason: 'NOT_GRANTED', grantedBy: [] } },
      { decision: true },
    ])
  })

  test('leaves out what roles grant for whoever may not read them, and tells nothing of strangers', async () => {
    await sql("update members set role = 'approver' where user_id = $1", [bob.id])
    const { body } = await evaluate(asked(bob.id), await bob.jwt())
    expect(body.context).toMatchObject({ grantedBy: ['approver'], reason: 'GRANTED' })
    expect(body.context.roles).toEqual([
      { name: 'approver', row: 1, source: 'STATIC', grants: true },
    ])
    expect(body.context).not.toHaveProperty('grantingRoles')
    await sql("update members set role = 'member,approver' where user_id = $1", [bob.id])
    const elsewhere = await evaluate(asked(eve.id, evil.id), await ada.jwt())
    expect(elsewhere.body).toMatchObject({
      decision: false,
      context: { reason: 'NOT_A_MEMBER', member: false, active: null, roles: [] },
    })
  })
})

describe('pages', () => {
  const who = { subject: { type: 'user' }, action: { name: 'request' }, resource: leaveOf(acme.id) }
  const pageOf = (page: object) => search('subject', { ...who, page })

  test('lead from one to the next, each of the same size, until there is none', async () => {
    const found: unknown[] = []
    let page: object = { limit: 1 }
    for (let count = 0; count < 9; count++) {
      const { body } = await pageOf(page)
      expect(body.page.count).toBe(body.results.length)
      found.push(...body.results)
      if (body.page.next_token === '') break
      page = { token: body.page.next_token }
    }
    expect(found).toEqual([ada, bob, carol].map(({ id }) => user(id)))
    expect((await search('subject', who)).body).toEqual({ results: found })
  })

  test('of none lead to where they began', async () => {
    const { body } = await pageOf({ limit: 0 })
    expect(body).toEqual({ page: { next_token: '0.begin', count: 0 }, results: [] })
    const nobody = { ...who, action: { name: 'nothing' }, page: { limit: 0 } }
    expect((await search('subject', nobody)).body.page.next_token).toBe('')
  })

  test('belong to the search that they came from', async () => {
    const { body } = await pageOf({ limit: 1 })
    const { next_token: token } = body.page
    for (const [change, page] of [
      [{}, { token, limit: 2 }],
      [{ action: { name: 'approve' } }, { token }],
      [{ resource: leaveOf(evil.id) }, { token }],
      [{}, { token: `${token}x` }],
      [{}, { token: 'made up' }],
      [{}, { token: 7 }],
      [{}, { limit: -1 }],
      [{}, { limit: 1.5 }],
      [{}, { limit: '1' }],
    ] as const)
      expect((await search('subject', { ...who, ...change, page })).status).toBe(400)
    expect((await pageOf({ token, limit: 1 })).status).toBe(200)
  })
})

describe('of each request', () => {
  test('what was decided is recorded, as far as it was told', async () => {
    const of = async (work: () => Promise<unknown>) => {
      const before = records.length
      await work()
      return records.slice(before)
    }
    const told = { audit: 'decision', caller: { kind: 'service', subject: 'payroll' } }
    const subject = { userId: bob.id, organizationId: acme.id, permission: 'leave:approve' }
    expect(await of(() => evaluate(mayApprove(bob.id)))).toMatchObject([
      {
        ...{ ...told, ...subject, allowed: true, field: '/access/v1/evaluation' },
        ...{ consistency: 'CACHED', source: expect.stringMatching(/CACHE|DATABASE/) },
        ...{ requestId: expect.any(String), ageSeconds: expect.any(Number) },
      },
    ])
    const options = { evaluations_semantic: 'permit_on_first_permit' }
    const evaluations = [carol, bob, ada].map(({ id }) => mayApprove(id))
    expect(await of(() => evaluateAll({ evaluations, options }))).toMatchObject([
      { ...told, userId: carol.id, allowed: false, field: '/access/v1/evaluations' },
      { ...told, userId: bob.id, allowed: true },
    ])
    expect(await of(() => search('subject', mayApprove('x')))).toMatchObject([
      { ...told, organizationId: acme.id, userIds: [ada.id, bob.id], consistency: 'FRESH' },
    ])
    expect(await of(() => search('action', mayApprove(bob.id)))).toMatchObject([
      { ...told, userId: bob.id, permissions: expect.arrayContaining(['leave:approve']) },
    ])
    const group = { ...mayApprove(ada.id), subject: { type: 'group', id: 'staff' } }
    expect(await of(() => evaluate(group))).toMatchObject([{ ...told, allowed: false }])
    expect(await of(() => evaluate({}))).toEqual([])
    expect(await of(() => evaluate(mayApprove(bob.id), null))).toEqual([])
  })

  test('nothing of decisions is recorded where personal data alone is', async () => {
    const all: unknown[] = []
    const sink = { write: (record: AuditRecord) => all.push(record) }
    const other = await of.serve({ AUDIT_LOG: 'pii' }, sink)
    const told = await other.ask('/access/v1/evaluation', { body: mayApprove(ada.id) })
    expect({ decision: told.body.decision, all }).toEqual({ decision: true, all: [] })
  })

  test('nothing is told that could not be recorded', async () => {
    const full = {
      write: () => {
        throw new Error('full')
      },
    }
    const other = await of.serve({ AUDIT_LOG: 'decisions' }, full)
    const told = await other.ask('/access/v1/evaluation', { body: mayApprove(ada.id) })
    expect(told).toMatchObject({ status: 500, text: 'Unexpected error.\n' })
  })

  test('a line is logged and a time is measured, by names that no client chooses', async () => {
    const id = 'known-by-this-id'
    await ask('/access/v1/evaluation', {
      body: mayApprove(ada.id),
      headers: { 'x-request-id': id },
    })
    const line = () => gateway.gateway.logged.find((one) => one.includes(id)) ?? '{}'
    await expect
      .poll(() => JSON.parse(line()))
      .toMatchObject({
        msg: 'request',
        path: '/access/v1/evaluation',
        status: 200,
        caller: 'service',
        operations: [{ type: 'authzen', name: 'authzen/evaluation' }],
      })
    expect(await gateway.gateway.metrics?.print()).toMatch(
      /request_duration_seconds_count\{operation="authzen\/evaluation",outcome="answered"\} \d/,
    )
  })

  test('as many are answered of one address, and of one user, as of the graph', async () => {
    const few = await of.serve({ RATE_LIMIT_PER_MINUTE: '2', LIMIT_COST_PER_MINUTE: 'off' })
    const path = '/access/v1/evaluation'
    expect((await few.ask(path, { body: mayApprove(ada.id) })).status).toBe(200)
    await few.gateway.graphql('{ __typename }')
    const statuses = async () => (await few.ask(path, { body: mayApprove(ada.id) })).status
    expect([await statuses(), await statuses()]).toEqual([200, 429])
    const refused = await few.ask(path, { body: mayApprove(ada.id) })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('content-type')).toMatch(/^text\/plain/)
  })

  test('what it costs is counted of its caller', async () => {
    const poor = await of.serve({ LIMIT_COST_PER_MINUTE: '1000' })
    const body = { evaluations: Array.from({ length: 90 }, () => mayApprove(ada.id)) }
    const token = await ada.jwt()
    const statuses: number[] = []
    for (let time = 0; time < 4; time++)
      statuses.push((await poor.ask('/access/v1/evaluations', { body, token })).status)
    expect(statuses).toContain(429)
    expect(statuses[0]).toBe(200)
  })
})

describe('over HTTP', () => {
  const path = '/access/v1/evaluation'

  test('only POST is understood, below whatever path', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD'])
      expect((await fetch(`${gateway.url}${path}`, { method })).status, method).toBe(405)
    expect(decisionOf(await ask(`/identity${path}`, { body: mayApprove(ada.id) }))).toBe(true)
    for (const unknown of [
      `${path}s/more`,
      '/access/v1/',
      '/access/v1/search',
      '/access/v2/evaluation',
    ])
      expect((await ask(unknown, { body: mayApprove(ada.id) })).status, unknown).toBe(404)
  })

  test('a body is bounded, whether or not it says how long it is', async () => {
    const small = await of.serve({ LIMIT_BODY_BYTES: '1000' })
    const body = { ...mayApprove(ada.id), context: { text: 'x'.repeat(2000) } }
    expect((await small.ask(path, { body })).status).toBe(413)
    const chunked = await fetch(`${small.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${of.serviceToken}` },
      body: new Blob([JSON.stringify(body)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
    expect(decisionOf(await small.ask(path, { body: mayApprove(ada.id) }))).toBe(true)
    const nested = `{"context":${'['.repeat(4000)}`
    expect((await gateway.ask(path, { body: nested })).status).toBe(413)
    const encoded = { body: mayApprove(ada.id), headers: { 'content-encoding': 'gzip' } }
    expect((await gateway.ask(path, encoded)).status).toBe(415)
  })

  test('servers of the Fetch API answer the same', async () => {
    const post = async (body: string, headers = {}) =>
      toAnswer(
        await gateway.gateway.fetch(
          new Request(`http://gateway/api${path}`, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              authorization: `Bearer ${of.serviceToken}`,
              ...headers,
            },
            body,
          }),
        ),
      )
    const answer = await post(JSON.stringify(mayApprove(ada.id)), { 'x-request-id': '1' })
    expect(answer.body).toEqual({ decision: true })
    expect(answer.headers.get('x-request-id')).toBe('1')
    expect((await post('{')).status).toBe(400)
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(400)
    expect((await post(`"${'x'.repeat(200_000)}"`)).status).toBe(413)
    const metadata = 'https://pdp.example.com/.well-known/authzen-configuration'
    expect(await (await gateway.gateway.fetch(new Request(metadata))).json()).toMatchObject({
      policy_decision_point: 'https://pdp.example.com',
    })
  })

  test('nothing of it is there unless it is on', async () => {
    const off = await of.serve({ AUTHZEN: 'off' })
    expect((await off.ask(path, { body: mayApprove(ada.id) })).status).toBe(404)
    expect((await fetch(`${off.url}/.well-known/authzen-configuration`)).status).toBe(404)
  })

  test('a request that takes too long is 503, in a line of text as well', async () => {
    const slow = await of.serve({
      REQUEST_TIMEOUT_MS: '300',
      DATABASE_STATEMENT_TIMEOUT_MS: '20000',
    })
    const client = new pg.Client({ connectionString: of.identity.ownerUrl })
    await client.connect()
    try {
      await client.query('begin')
      await client.query('lock table members in access exclusive mode')
      const fresh = { ...mayApprove(ada.id), context: { consistency: 'FRESH' } }
      const answer = await slow.ask(path, { body: fresh })
      expect(answer).toMatchObject({ status: 503, body: undefined })
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    } finally {
      await client.end()
    }
  })

  test('an answer that cannot be had is 503, and none is a permission', async () => {
    const lost = await of.serve({ DATABASE_URL: 'postgresql://nobody:x@127.0.0.1:1/nothing' })
    const answer = await lost.ask(path, { body: mayApprove(ada.id) })
    expect(answer).toMatchObject({ status: 503, body: undefined })
    expect(answer.headers.get('retry-after')).toBe('1')
  })
})

test('signers of tokens are told apart by the same rules', async () => {
  const stranger = await createSigner('ES256', 'service-1')
  const token = await stranger.sign({ iss: services.issuer, aud: services.audience, sub: 'x' })
  expect((await evaluate(mayApprove(ada.id), token)).status).toBe(401)
})
