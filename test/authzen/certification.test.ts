import { describe, expect, test } from 'vitest'
import { type Answer, authzenWorld, toAnswer } from './world.ts'

/*
 * The certification scenario of the Authorization API 1.0 (openid/authzen, certification/authorization-api-1_0-scenario.md,
 * June 2026), test by test, under its own numbers, against a gateway over HTTP: Basic, Batch and Search Core, Discovery.
 * What is not here are its Properties levels (2.2.4 to 2.2.7, 3.2.3, 3.2.4, 3.2.7, 4.2.4, 4.3.4, 4.4.3): they judge
 * `properties` that come with the request, such as `status` or `soft`, and whoever asks could give themselves a role by
 * them. Here the tables of Better Auth decide.
 */

const of = await authzenWorld({
  writer: { record: ['read', 'write'] },
  reader: { record: ['read'] },
})
await of.addUsers('alice', 'bob')
await of.addOrganization('record-1', { alice: ['writer'], bob: ['reader'] })
await of.addOrganization('record-2')
const { ask, url } = await of.serve({ AUTHZEN_ORGANIZATION_TYPES: 'organization,record' })

const alice = { type: 'user', id: 'alice' }
const bob = { type: 'user', id: 'bob' }
const record = { type: 'record', id: 'record-1' }
const action = (name: string) => ({ name })
const aliceReads = { subject: alice, action: action('read'), resource: record }
const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' }

const evaluate = (body: unknown, headers = {}) =>
  ask('/access/v1/evaluation', { body, headers }) as Promise<Answer>
const evaluateAll = (body: unknown) => ask('/access/v1/evaluations', { body })
const search = (what: string, body: unknown) => ask(`/access/v1/search/${what}`, { body })

function expectJson({ status, headers, body }: Answer, expected: unknown) {
  expect({ status, type: headers.get('content-type'), body }).toEqual({
    status: 200,
    type: 'application/json',
    body: expected,
  })
}

function expectBad(answer: Answer) {
  expect(answer.status).toBe(400)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(answer.text.trim()).not.toBe('')
}

describe('Basic Core', () => {
  test.each([
    ['2.2.1', aliceReads, true],
    ['1.4 rule 2', { ...aliceReads, action: action('write') }, true],
    ['1.4 rule 3', { ...aliceReads, subject: bob }, true],
    ['2.2.2', { ...aliceReads, subject: bob, action: action('write') }, false],
    ['2.2.3', { ...aliceReads, context }, true],
    [
      '2.2.8',
      {
        subject: { ...alice, properties: { department: 'Sales', role: 'manager' } },
        action: { name: 'read', properties: { method: 'GET' } },
        resource: { ...record, properties: { status: 'active', owner: 'bob' } },
      },
      true,
    ],
    ['2.2.9', { ...aliceReads, foo: 'bar', futureField: { nested: true } }, true],
  ])('%s', async (_number, body, decision) => {
    expectJson(await evaluate(body), { decision })
  })

  test.each([
    ['2.4.1 subject', { ...aliceReads, subject: undefined }],
    ['2.4.1 action', { ...aliceReads, action: undefined }],
    ['2.4.1 resource', { ...aliceReads, resource: undefined }],
    ['2.4.2 subject.type', { ...aliceReads, subject: { id: 'alice' } }],
    ['2.4.2 subject.id', { ...aliceReads, subject: { type: 'user' } }],
    ['2.4.2 action.name', { ...aliceReads, action: {} }],
    ['2.4.2 resource.type', { ...aliceReads, resource: { id: 'record-1' } }],
    ['2.4.2 resource.id', { ...aliceReads, resource: { type: 'record' } }],
    ['2.4.4', '{ "subject": '],
    ['2.4.5', ''],
    ['2.4.6 subject', { ...aliceReads, subject: 'alice' }],
    ['2.4.6 action.name', { ...aliceReads, action: { name: 123 } }],
  ])('%s', async (_number, body) => {
    expectBad(await evaluate(body))
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    '2.4.3 Content-Type %j',
    async (type) => {
      expectBad(await evaluate(aliceReads, { 'content-type': type }))
    },
  )

  test('2.5 X-Request-ID', async () => {
    for (const id of ['bfe9eb29-ab87-4ca3-be83-a1d5d8305716', '1', 'any text, with "quotes" & co'])
      for (const body of [aliceReads, '{'])
        expect((await evaluate(body, { 'x-request-id': id })).headers.get('x-request-id')).toBe(id)
    expect((await evaluate(aliceReads)).headers.get('x-request-id')).toBeTruthy()
  })

  test('2.6', async () => {
    for (let time = 0; time < 20; time++) expectJson(await evaluate(aliceReads), { decision: true })
  })
})

describe('Batch Core', () => {
  const isDecision = { decision: expect.any(Boolean) }

  test('3.2.1', async () => {
    const { resource: _, ...defaults } = aliceReads
    const evaluations = [{ resource: record }, { resource: { type: 'record', id: 'record-2' } }]
    expectJson(await evaluateAll({ ...defaults, evaluations }), {
      evaluations: [isDecision, isDecision],
    })
  })

  test('3.2.2', async () => {
    const evaluations = [{ action: action('read') }, { action: action('write') }]
    expectJson(await evaluateAll({ subject: bob, resource: record, evaluations }), {
      evaluations: [{ decision: true }, { decision: false }],
    })
  })

  test('3.2.5', async () => {
    const evaluations = [aliceReads, { ...aliceReads, subject: bob, action: action('write') }]
    expectJson(await evaluateAll({ evaluations }), {
      evaluations: [{ decision: true }, { decision: false }],
    })
  })

  test('3.2.6', async () => {
    const { resource: _, ...defaults } = aliceReads
    const other = { type: 'record', id: 'record-2' }
    const evaluations = [
      { resource: record },
      { resource: other, context: { ...context, source: 'batch-override' } },
    ]
    expectJson(await evaluateAll({ ...defaults, context, evaluations }), {
      evaluations: [isDecision, isDecision],
    })
  })

  test('3.4.1', async () => {
    const { resource: _, ...defaults } = aliceReads
    const options = { evaluations_semantic: 'execute_all' }
    expectJson(
      await evaluateAll({ ...defaults, options, evaluations: [{ resource: record }, {}] }),
      {
        evaluations: [
          { decision: true },
          { decision: false, context: { error: { status: 400, message: 'resource is missing.' } } },
        ],
      },
    )
  })

  test('3.4.2', async () => {
    expectJson(await evaluateAll(aliceReads), { decision: true })
  })

  test('3.4.3', async () => {
    expectJson(await evaluateAll({ ...aliceReads, evaluations: [] }), { decision: true })
  })
})

describe('Search Core', () => {
  const subjects = { subject: { type: 'user' }, action: action('read'), resource: record }
  const resources = { subject: alice, action: action('read'), resource: { type: 'record' } }
  const actions = { subject: alice, resource: record }
  const both = { results: [alice, bob] }
  const own = { results: [record] }
  const readAndWrite = { results: [action('read'), action('write')] }

  test.each([
    ['4.2.1', 'subject', subjects, both],
    ['4.2.2', 'subject', { ...subjects, context }, both],
    ['4.2.3', 'subject', { ...subjects, subject: alice }, both],
    ['4.3.1', 'resource', resources, own],
    ['4.3.2', 'resource', { ...resources, context }, own],
    ['4.3.3', 'resource', { ...resources, resource: record }, own],
    ['4.4.1', 'action', actions, readAndWrite],
    ['4.4.2', 'action', { ...actions, context }, readAndWrite],
  ])('%s', async (_number, what, body, expected) => {
    expectJson(await search(what, body), expected)
  })

  test('4.5 pages', async () => {
    const first = await search('subject', { ...subjects, page: { limit: 1 } })
    expectJson(first, {
      page: { next_token: expect.stringMatching(/./), count: 1 },
      results: [alice],
    })
    const page = { token: first.body.page.next_token }
    expectJson(await search('subject', { ...subjects, page }), {
      page: { next_token: '', count: 1 },
      results: [bob],
    })
  })

  const nobody = { type: 'user', id: 'nonexistent-user' }
  const nothing = { type: 'record', id: 'nonexistent-record' }
  const spaceship = { type: 'spaceship', id: 'enterprise' }
  test.each([
    ['4.6.1 subject', 'subject', { ...subjects, resource: nothing }],
    ['4.6.1 resource', 'resource', { ...resources, subject: nobody }],
    ['4.6.1 action', 'action', { ...actions, subject: nobody }],
    ['4.6.1 action, of nothing', 'action', { ...actions, resource: nothing }],
    ['4.6.2 subject', 'subject', { ...subjects, subject: spaceship }],
    ['4.6.2 subject, of a ship', 'subject', { ...subjects, resource: spaceship }],
    ['4.6.2 resource', 'resource', { ...resources, resource: spaceship }],
    ['4.6.2 resource, for a ship', 'resource', { ...resources, subject: spaceship }],
    ['4.6.2 action', 'action', { ...actions, subject: spaceship }],
    ['4.6.2 action, on a ship', 'action', { ...actions, resource: spaceship }],
  ])('%s', async (_number, what, body) => {
    expectJson(await search(what, body), { results: [] })
  })

  test.each([
    ['4.7.1 subject', 'subject', { ...subjects, action: undefined }],
    ['4.7.1 resource', 'resource', { ...resources, subject: undefined }],
    ['4.7.1 action', 'action', { ...actions, resource: undefined }],
    ['4.7.2 subject', 'subject', { ...subjects, resource: { type: 'record' } }],
    ['4.7.2 resource', 'resource', { ...resources, subject: { type: 'user' } }],
    ['4.7.2 action', 'action', { ...actions, subject: { type: 'user' } }],
  ])('%s', async (_number, what, body) => {
    expectBad(await search(what, body))
  })
})

describe('Discovery', () => {
  const metadata = async (path: string, headers = {}) =>
    toAnswer(await fetch(`${url}${path}`, { headers }))
  const endpointsBelow = (base: string) => ({
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    search_subject_endpoint: `${base}/access/v1/search/subject`,
    search_resource_endpoint: `${base}/access/v1/search/resource`,
    search_action_endpoint: `${base}/access/v1/search/action`,
  })

  test('6 as the client asked', async () => {
    const { host } = new URL(url)
    const path = '/.well-known/authzen-configuration'
    expectJson(await metadata(path), endpointsBelow(url))
    const byTls = await metadata(path, { 'x-forwarded-proto': 'https' })
    expectJson(byTls, endpointsBelow(`https://${host}`))
    expectJson(await metadata(`${path}/tenant1`), endpointsBelow(`${url}/tenant1`))
  })

  test('6 as PUBLIC_URL says', async () => {
    const other = await of.serve({ PUBLIC_URL: 'https://pdp.example.com/identity/graphql' })
    const path = `${other.url}/.well-known/authzen-configuration`
    const answer = await toAnswer(await fetch(`${path}/identity`))
    expectJson(answer, endpointsBelow('https://pdp.example.com/identity'))
    expect((await fetch(path)).status).toBe(404)
  })
})
