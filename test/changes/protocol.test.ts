import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen as listenAt } from '../../src/demo/ports.ts'
import type { AuditRecord } from '../../src/gateway.ts'
import { startServer } from '../../src/http/server.ts'
import { changesWorld } from '../support/changes-world.ts'
import { subscribe as subscribeAt } from '../support/events.ts'

const { of, listen } = await changesWorld()
const { sql, ada, carol, acme, services } = of
const audited: AuditRecord[] = []
const { subscribe, gateway, url } = await listen(
  { AUDIT_LOG: 'pii', AUDIT_LOG_FILE: '/dev/null', METRICS_PORT: '0' },
  { write: (record) => audited.push(record) },
)
const token = await ada.jwt()
const service = await services.token()

const VIEWER = 'subscription { viewerChanged { kind viewer { email } } }'
const first = { data: { viewerChanged: { kind: 'READ_AGAIN', viewer: { email: ada.email } } } }

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The whole answer of what ends by itself. */
async function ask({ method = 'POST', path = '', body, headers = {} }: Asked) {
  const asked = request(`${url}${path}`, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...headers,
    },
  })
  const answered = new Promise<{ status: number; type: string; body: string }>(
    (resolve, reject) => {
      asked.once('error', reject)
      asked.once('response', async (response) =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: await text(response),
        }),
      )
    },
  )
  asked.end(body)
  return answered
}

const post = (query: unknown, headers: Record<string, string> = {}) =>
  ask({
    body: typeof query === 'string' ? JSON.stringify({ query }) : JSON.stringify(query),
    headers,
  })
const once = (result: object) =>
  `event: next\ndata: ${JSON.stringify(result)}\n\nevent: complete\ndata:\n\n`
const codeIn = (body: string) => /"code":"(\w+)"/.exec(body)?.[1]
const rename = (name: string) => sql('update users set name = $2 where id = $1', [ada.id, name])

describe('is asked for by', () => {
  test.each([
    ['POST', {}],
    ['GET', { byGet: true }],
    ['a list that has events in it', { headers: { accept: 'text/event-stream, multipart/mixed' } }],
    [
      'a list that has JSON before them',
      { headers: { accept: 'application/json, text/event-stream' } },
    ],
    ['capitals', { headers: { accept: 'TEXT/Event-Stream' } }],
  ])('%s', async (_, options) => {
    const stream = await subscribe(VIEWER, { token, ...options })
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      vary: expect.stringContaining('Accept'),
      'x-request-id': expect.any(String),
    })
    expect(await stream.next()).toEqual(first)
    stream.close()
  })

  test('a body whose length nobody knows before', async () => {
    const asked = request(url, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, accept: 'text/event-stream' },
        'content-type': 'application/json',
      },
    })
    const [got] = await new Promise<string[]>((resolve) => {
      asked.once('response', (response) => {
        let all = ''
        response.setEncoding('utf8').on('data', (part) => {
          all += part
          if (all.includes('data:')) resolve([all])
        })
      })
      asked.write(JSON.stringify({ query: VIEWER }).slice(0, 10))
      asked.end(JSON.stringify({ query: VIEWER }).slice(10))
    })
    asked.destroy()
    expect(got).toContain(JSON.stringify(first))
  })
})

describe('a query', () => {
  const query = '{ viewer { email } }'
  const answer = { data: { viewer: { email: ada.email } } }

  test('of whoever takes events alone is one, and complete', async () => {
    const asked = [
      await post(query),
      await ask({ method: 'GET', path: `?query=${encodeURIComponent(query)}` }),
    ]
    for (const { status, type, body } of asked)
      expect({ status, type, body }).toEqual({
        ...{ status: 200, type: 'text/event-stream; charset=utf-8' },
        body: once(answer),
      })
  })

  test.each([
    ['application/json', 'text/event-stream, application/json'],
    ['application/json', 'text/event-stream, */*'],
    // What urql sends with every query.
    [
      'application/graphql-response+json',
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    ],
  ])('of whoever takes JSON as well is %s', async (type, accept) => {
    for (const asked of [
      await post(query, { accept }),
      await ask({
        method: 'GET',
        path: `?query=${encodeURIComponent(query)}`,
        headers: { accept },
      }),
    ])
      expect(asked).toEqual({
        ...{ status: 200, type: `${type}; charset=utf-8`, body: JSON.stringify(answer) },
      })
  })
})

describe('is refused', () => {
  test.each([
    ['406 BAD_REQUEST', 'as JSON', { accept: 'application/json' }],
    ['406 BAD_REQUEST', 'as anything', { accept: '*/*' }],
    ['406 BAD_REQUEST', 'as parts', { accept: 'multipart/mixed' }],
  ])('with %s %s', async (expected, _, headers) => {
    const { status, body } = await post(VIEWER, headers)
    expect(`${status} ${codeIn(body)}`).toBe(expected)
  })

  test.each([
    ['400 BAD_REQUEST', 'no JSON', '{'],
    ['200 BAD_REQUEST', 'no document', '{}'],
    ['200 GRAPHQL_PARSE_FAILED', 'what does not parse', { query: 'subscription {' }],
    [
      '200 GRAPHQL_VALIDATION_FAILED',
      'a field that is not there',
      { query: 'subscription { nothing }' },
    ],
    [
      '200 GRAPHQL_VALIDATION_FAILED',
      'two at once',
      { query: 'subscription { a: viewerChanged { kind } b: viewerChanged { kind } }' },
    ],
    ['200 GRAPHQL_VALIDATION_FAILED', 'the type alone', { query: 'subscription { __typename }' }],
    [
      '200 GRAPHQL_VALIDATION_FAILED',
      'nothing that is left',
      { query: 'subscription { viewerChanged @skip(if: true) { kind } }' },
    ],
    [
      '200 GRAPHQL_VALIDATION_FAILED',
      'nothing in fragments',
      {
        query:
          'subscription { ...A } fragment A on Subscription { ... @include(if: false) { viewerChanged { kind } } }',
      },
    ],
    [
      '200 BAD_USER_INPUT',
      'a variable that is missing',
      { query: 'subscription ($id: ID!) { organizationChanged(id: $id) { kind } }' },
    ],
    [
      '200 BAD_USER_INPUT',
      'a variable of another type',
      {
        query: 'subscription ($id: ID!) { organizationChanged(id: $id) { kind } }',
        variables: { id: [1] },
      },
    ],
    [
      '200 LIMIT_EXCEEDED',
      'what is too deep',
      {
        query: `subscription { viewerChanged { viewer { ${'organizations { nodes { members { nodes { user { '.repeat(4)}name${' } } } } }'.repeat(4)} } } }`,
      },
    ],
    [
      '200 LIMIT_EXCEEDED',
      'what costs too much',
      {
        query:
          'subscription { viewerChanged { viewer { organizations(first: 100) { nodes { members(first: 100) { nodes { user { memberships(first: 100) { nodes { roles } } } } } } } } } }',
      },
    ],
    ['200 READ_ONLY', 'a mutation', { query: 'mutation { nothing }' }],
  ])('with %s: %s', async (expected, _, sent) => {
    const { status, type, body } = await ask({
      body: typeof sent === 'string' ? sent : JSON.stringify(sent),
    })
    expect(type).toMatch(/^text\/event-stream/)
    expect(body).toMatch(/^event: next\ndata: .*\n\nevent: complete\ndata:\n\n$/)
    expect(`${status} ${codeIn(body)}`).toBe(expected)
  })

  test('with 401 without a token that counts', async () => {
    const { status, body } = await post(VIEWER, { authorization: 'Bearer forged.forged.forged' })
    expect([status, codeIn(body)]).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('in a batch, and as a form', async () => {
    const batch = await post([{ query: VIEWER }, { query: '{ viewer { name } }' }], {
      accept: 'application/json, text/event-stream',
    })
    expect(JSON.parse(batch.body)).toMatchObject([
      { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
      { data: { viewer: expect.anything() } },
    ])
    const form = await ask({
      body: `query=${encodeURIComponent(VIEWER)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([form.status, codeIn(form.body)]).toEqual([406, 'BAD_REQUEST'])
  })

  test('with a body that is too long, whether it says so or not', async () => {
    const body = JSON.stringify({ query: VIEWER, variables: { long: 'x'.repeat(200_000) } })
    for (const headers of [
      { 'content-length': `${body.length}` },
      { 'transfer-encoding': 'chunked' },
    ])
      expect((await ask({ body, headers: headers as never })).status).toBe(413)
  })
})

describe('is told of as what it is:', () => {
  test('what it costs, with every event', async () => {
    const stream = await subscribe(VIEWER, { token, headers: { 'x-graphql-cost': '1' } })
    const cost = { requested: expect.any(Number), limit: 10_000 }
    expect(await stream.next()).toMatchObject({ ...first, extensions: { cost } })
    await rename('Costly')
    expect(await stream.next()).toMatchObject({ extensions: { cost } })
    stream.close()
  })

  test('by one line of the log when it ends, the metrics, and the audit of each event', async () => {
    const ofService = `subscription { organizationChanged(id: "${acme.id}") {
      organization { members { nodes { user { email } } } } } }`
    const headers = { 'x-request-id': 'of-this-stream' }
    const stream = await subscribe(ofService, { token: service, headers })
    await stream.next()
    await sql("update organizations set name = 'Watched' where id = $1", [acme.id])
    await stream.next()
    expect(stream.headers['x-request-id']).toBe('of-this-stream')
    const lines = () => gateway.logged.filter((line) => line.includes('of-this-stream'))
    expect(lines()).toEqual([])
    expect(await gateway.metrics?.print()).toMatch(/subscriptions\S* [1-9]/)
    stream.close()
    await vi.waitFor(() => expect(lines()).toHaveLength(1))
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      ...{ status: 200, events: 2, caller: 'service', requestId: 'of-this-stream' },
      operations: [{ type: 'subscription', name: null }],
    })
    const records = audited.filter(({ requestId }) => requestId === 'of-this-stream')
    const ofAda = records.filter((record) => 'userId' in record && record.userId === ada.id)
    expect(ofAda).toMatchObject([{ fields: ['User.email'] }, { fields: ['User.email'] }])
  })
})

test('a trusted document is subscribed to by its name, and no other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'documents-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const hash = createHash('sha256').update(VIEWER).digest('hex')
  const TRUSTED_DOCUMENTS_FILE = join(directory, 'documents.json')
  await writeFile(TRUSTED_DOCUMENTS_FILE, JSON.stringify({ [hash]: VIEWER }))
  const trusting = of.gatewayWith({ PERMISSION_EVENTS: 'postgres', TRUSTED_DOCUMENTS_FILE })
  const server = await startServer(trusting, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.stop())
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  const reading = async (parameters: string) => {
    const controller = new AbortController()
    const signal = controller.signal
    const response = await fetch(`${server.url}/graphql?${parameters}`, { headers, signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let all = ''
    while (!all.includes('data:')) all += (await reader?.read())?.value ?? 'data: none'
    controller.abort()
    return all
  }
  await vi.waitFor(async () =>
    expect(await reading(`documentId=${hash}`)).toContain(JSON.stringify(first)),
  )
  expect(await reading(`query=${encodeURIComponent(VIEWER)}`)).toContain('PERSISTED_QUERY')
})

test('behind a parser that has read the body', async () => {
  const app = createServer(async (asked: IncomingMessage & { body?: unknown }, response) => {
    asked.body = JSON.parse(await text(asked))
    gateway.node(asked, response)
  })
  const port = await listenAt(app, 0, '127.0.0.1')
  onTestFinished(() => {
    app.closeAllConnections()
    app.close()
  })
  const stream = await subscribeAt(`http://127.0.0.1:${port}/api/graphql`, VIEWER, { token })
  expect(await stream.next()).toMatchObject({ data: { viewerChanged: { kind: 'READ_AGAIN' } } })
  await rename('Parsed')
  expect((await stream.next()).data.viewerChanged.kind).toBe('CHANGED')
  stream.close()
})

describe('over the Fetch API', () => {
  const fetching = (query = VIEWER, signal?: AbortSignal, headers = {}) =>
    gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        ...(signal && { signal }),
        headers: {
          ...{ accept: 'text/event-stream', 'content-type': 'application/json' },
          ...{ authorization: `Bearer ${token}`, ...headers },
        },
        body: JSON.stringify({ query }),
      }),
    )
  const open = async () =>
    Number(/subscriptions\S* (\d+)/.exec((await gateway.metrics?.print()) ?? '')?.[1])

  test('it is the same, ends with its reader, and is logged then', async () => {
    const response = await fetching(VIEWER, undefined, { 'x-request-id': 'fetched-stream' })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe(':\n\n')
    expect((await reader?.read())?.value).toBe(`event: next\ndata: ${JSON.stringify(first)}\n\n`)
    await rename('Fetched')
    expect((await reader?.read())?.value).toContain('CHANGED')
    const lines = () => gateway.logged.filter((line) => line.includes('fetched-stream'))
    expect(await open()).toBe(1)
    expect(lines()).toEqual([])
    await reader?.cancel()
    await vi.waitFor(() => expect(lines()).toHaveLength(1))
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ status: 200, events: 2 })
    expect(await open()).toBe(0)
  })

  test('it ends with the request, and with ENDED', async () => {
    const controller = new AbortController()
    const response = await fetching(VIEWER, controller.signal)
    expect(await open()).toBe(1)
    controller.abort()
    await vi.waitFor(async () => expect(await open()).toBe(0))
    await response.body?.cancel()
    const ended = await gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: {
          ...{ accept: 'text/event-stream, multipart/mixed', 'content-type': 'application/json' },
          authorization: `Bearer ${await carol.jwt()}`,
        },
        body: JSON.stringify({
          query: `subscription { organizationChanged(id: "${acme.id}") { kind } }`,
        }),
      }),
    )
    await sql('delete from members where user_id = $1', [carol.id])
    const all = await ended.text()
    expect(all).toContain('"ENDED"')
    expect(all).toMatch(/event: complete\ndata:\n\n$/)
    expect(await open()).toBe(0)
  })

  test('what is refused is refused', async () => {
    const response = await fetching('subscription { accessChanged { kind } }')
    expect(await response.text()).toContain('FORBIDDEN')
    expect(await open()).toBe(0)
    const asService = await fetching('subscription { accessChanged { kind } }', undefined, {
      ...{ authorization: `Bearer ${service}`, accept: 'application/json' },
    })
    expect([asService.status, codeIn(await asService.text())]).toEqual([406, 'BAD_REQUEST'])
  })
})
