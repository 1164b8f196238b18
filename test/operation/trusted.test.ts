import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, createGateway, loadConfig } from '../../src/gateway.ts'
import { world } from '../support/world.ts'

const viewer = 'query Viewer { viewer { name } }'
const byId = 'query ById($id: ID!) { user(id: $id) { name } }'
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const listed = { [hashOf(viewer)]: viewer, [`sha256:${hashOf(byId)}`]: byId }

const directory = await mkdtemp(join(tmpdir(), 'identity-documents-'))
const { gateway, gatewayWith, ada } = await world({
  environment: { TRUSTED_DOCUMENTS_FILE: await fileWith(listed) },
})
const { id } = ada
const authorization = `Bearer ${await ada.jwt()}`

afterAll(() => rm(directory, { recursive: true }))

async function fileWith(content: unknown): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.json`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

async function post(body: unknown, accept = 'application/json') {
  const response = await gateway.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization, accept },
      body: JSON.stringify(body),
    }),
  )
  return { status: response.status, body: await response.json() }
}

const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } })
const codes = (body: { errors?: readonly { extensions: { code: string } }[] }) =>
  body.errors?.map(({ extensions }) => extensions.code)

describe('a listed document is answered', () => {
  test.each([
    ['documentId', { documentId: hashOf(viewer) }],
    ['documentId with its algorithm', { documentId: `sha256:${hashOf(viewer)}` }],
    ['the hash of a persisted query', { extensions: persisted(hashOf(viewer)) }],
    ['doc_id', { doc_id: hashOf(viewer) }],
    ['id, without a text', { id: hashOf(viewer), query: null, operationName: 'Viewer' }],
  ])('by %s', async (_, body) => {
    expect(await post(body)).toEqual({ status: 200, body: { data: { viewer: { name: 'Ada' } } } })
  })

  test.each([hashOf(byId), `sha256:${hashOf(byId)}`])(
    'listed with its algorithm, by %s',
    async (name) => {
      for (const named of [{ documentId: name }, { extensions: persisted(name) }])
        expect((await post({ ...named, variables: { id } })).body).toEqual({
          data: { user: { name: 'Ada' } },
        })
    },
  )

  test('with variables, and in a batch', async () => {
    const operation = { documentId: hashOf(byId), variables: { id } }
    const answer = { data: { user: { name: 'Ada' } } }
    expect((await post([operation, operation])).body).toEqual([answer, answer])
  })

  test.each([
    ['documentId', { documentId: hashOf(viewer) }],
    ['the hash of a persisted query', { extensions: JSON.stringify(persisted(hashOf(viewer))) }],
    ['doc_id', { doc_id: hashOf(viewer) }],
    ['id', { id: hashOf(viewer) }],
  ])('by GET and %s', async (_, parameters) => {
    const address = `http://gateway/graphql?${new URLSearchParams(parameters)}`
    const response = await gateway.fetch(new Request(address, { headers: { authorization } }))
    expect(await response.json()).toEqual({ data: { viewer: { name: 'Ada' } } })
  })
})

test.each(['documentId', 'doc_id', 'id'])('by a form and %s, with variables', async (name) => {
  const response = await gateway.fetch(
    new Request('http://gateway/graphql', {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ [name]: hashOf(byId), variables: JSON.stringify({ id }) }),
    }),
  )
  expect(await response.json()).toEqual({ data: { user: { name: 'Ada' } } })
})

describe('a file is understood as compilers write it:', () => {
  const operation = (id: string, body: string) => ({ id, name: 'Any', type: 'query', body })
  const manifest = (...operations: readonly object[]) => ({
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations,
  })

  test.each<[string, unknown]>([
    ['the map of graphql-codegen and Relay', { a1: viewer, b2: byId }],
    [
      'the list of pairs of Relay',
      [
        ['a1', viewer],
        ['b2', byId],
      ],
    ],
    ['the manifest of Apollo', manifest(operation('a1', viewer), operation('b2', byId))],
    [
      'the same operation for two clients',
      manifest(operation('a1', viewer), operation('a1', viewer), operation('b2', byId)),
    ],
    ['a map of a document with a name of the manifest', { a1: viewer, b2: byId, format: viewer }],
  ])('%s', async (_what, content) => {
    const other = gatewayWith({ TRUSTED_DOCUMENTS_FILE: await fileWith(content) })
    const ask = async (body: object) => {
      const response = await other.fetch(
        new Request('http://gateway/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization },
          body: JSON.stringify(body),
        }),
      )
      return response.json()
    }
    expect(await ask({ documentId: 'a1' })).toEqual({ data: { viewer: { name: 'Ada' } } })
    expect(await ask({ extensions: persisted('b2'), variables: { id } })).toEqual({
      data: { user: { name: 'Ada' } },
    })
    expect(codes((await ask({ documentId: 'operations' })) as object)).toEqual([
      'PERSISTED_QUERY_NOT_FOUND',
    ])
  })

  test.each<[string, unknown, string]>([
    [
      'a manifest of another format',
      { ...manifest(operation('a1', viewer)), format: 'other' },
      'TRUSTED_DOCUMENTS_FILE.format: must be apollo-persisted-query-manifest',
    ],
    [
      'a manifest of another version',
      { ...manifest(operation('a1', viewer)), version: 2 },
      'TRUSTED_DOCUMENTS_FILE.version: must be 1',
    ],
    [
      'an operation without its text',
      manifest({ id: 'a1' }),
      'TRUSTED_DOCUMENTS_FILE.operations.0.body: is no text',
    ],
    [
      'two documents of one name',
      [
        ['a1', viewer],
        ['a1', byId],
      ],
      'TRUSTED_DOCUMENTS_FILE: a1 is the name of two documents',
    ],
  ])('%s is refused', async (_what, content, complaint) => {
    const file = await fileWith(content)
    expect(() => gatewayWith({ TRUSTED_DOCUMENTS_FILE: file })).toThrow(complaint)
  })
})

describe('nothing else is', () => {
  test.each([
    ['an unknown hash', { documentId: hashOf('another') }],
    ['the unknown hash of a persisted query', { extensions: persisted(hashOf('another')) }],
    ['a name like a property of objects', { documentId: 'constructor' }],
    ['an empty name', { doc_id: '' }],
  ])('%s: PERSISTED_QUERY_NOT_FOUND', async (_, body) => {
    const answer = await post(body, 'application/graphql-response+json')
    expect(answer.status).toBe(400)
    expect(codes(answer.body)).toEqual(['PERSISTED_QUERY_NOT_FOUND'])
    expect(answer.body.data).toBeUndefined()
  })

  // Under another code, or clients of persisted queries would take it for a hash that is to be followed by the text.
  test.each([
    ['a document', { query: '{ viewer { id } }' }],
    ['a listed document by its text', { query: viewer }],
    ['a document beside a listed hash', { query: '{ viewer { id } }', documentId: hashOf(viewer) }],
    ['a document to be registered', { query: viewer, extensions: persisted(hashOf(viewer)) }],
    ['introspection', { query: '{ __schema { queryType { name } } }' }],
    ['a mutation', { query: 'mutation { createUser }' }],
    ['neither', {}],
    ['a name that is no text', { documentId: 7 }],
    [
      'a document beside the id of a listed one',
      { query: '{ viewer { id } }', id: hashOf(viewer) },
    ],
  ])('%s: PERSISTED_QUERY_ID_REQUIRED', async (_, body) => {
    const answer = await post(body, 'application/graphql-response+json')
    expect(answer.status).toBe(400)
    expect(codes(answer.body)).toEqual(['PERSISTED_QUERY_ID_REQUIRED'])
    expect(answer.body.errors[0].message).not.toBe('PersistedQueryNotFound')
    expect(answer.body.data).toBeUndefined()
  })

  test('not in a batch either', async () => {
    const answer = await post([{ documentId: hashOf(viewer) }, { query: '{ viewer { id } }' }])
    expect(answer.body[0]).toEqual({ data: { viewer: { name: 'Ada' } } })
    expect(codes(answer.body[1])).toEqual(['PERSISTED_QUERY_ID_REQUIRED'])
  })

  test.each([[[null]], [[7]], [['query']]])('nor is %j, which is no operation', async (body) => {
    expect(codes((await post(body)).body[0])).toEqual(['BAD_REQUEST'])
  })

  test('Apollo clients hear what they wait for', async () => {
    const { status, body } = await post({ extensions: persisted(hashOf('another')) })
    expect(status).toBe(200)
    expect(body.errors[0].message).toBe('PersistedQueryNotFound')
  })

  test('there is no GraphiQL', async () => {
    const page = await gateway.fetch(
      new Request('http://gateway/graphql', { headers: { accept: 'text/html' } }),
    )
    expect(page.headers.get('content-type') ?? '').not.toMatch('text/html')
  })
})

describe('without a file', () => {
  const open = gatewayWith({})
  afterAll(() => open.close())
  const send = async (request: Request) => {
    const response = await open.fetch(request)
    return { status: response.status, body: await response.json() }
  }
  const asked = (body: object, accept = 'application/json') =>
    send(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization, accept },
        body: JSON.stringify(body),
      }),
    )
  const byGet = (parameters: Record<string, string>) =>
    send(
      new Request(`http://gateway/graphql?${new URLSearchParams(parameters)}`, {
        headers: { authorization, accept: '*/*' },
      }),
    )
  const data = { data: { viewer: { name: 'Ada' } } }

  test('a name alone is no document', async () => {
    for (const name of ['documentId', 'doc_id', 'id'])
      expect(codes((await asked({ [name]: hashOf(viewer) })).body)).toEqual(['BAD_REQUEST'])
  })

  test.each(['documentId', 'doc_id', 'id'])(
    '%s beside the text changes nothing, whatever it is',
    async (name) => {
      for (const value of [hashOf(viewer), 'sha256:other', 7])
        expect((await asked({ query: viewer, [name]: value })).body).toEqual(data)
      expect((await byGet({ query: viewer, [name]: 'other' })).body).toEqual(data)
      const other = { query: viewer, [name]: 'x', password: 'y' }
      expect((await asked(other)).body.errors[0].message).toContain('password')
    },
  )

  test('the hash of a persisted query is answered so that clients send texts from then on', async () => {
    const refused = {
      errors: [
        {
          message: 'PersistedQueryNotSupported',
          extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' },
        },
      ],
    }
    const extensions = persisted(hashOf(viewer))
    const first = await asked({ operationName: 'Viewer', variables: {}, extensions })
    expect(first).toMatchObject({ status: 200, body: refused })
    const strict = await asked({ extensions }, 'application/graphql-response+json')
    expect(strict).toMatchObject({ status: 400, body: refused })
    expect(strict.body.data).toBeUndefined()
    expect(await byGet({ extensions: JSON.stringify(extensions) })).toMatchObject({ body: refused })
    expect((await asked({ query: viewer, extensions })).body).toEqual(data)
    expect((await asked([{ extensions }, { query: viewer }])).body).toMatchObject([refused, data])
  })
})

describe('a file is refused at start, by the name of its variable:', () => {
  const start = async (content: unknown, more: Readonly<Record<string, string>> = {}) =>
    createGateway(
      loadConfig({
        DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
        AUTH_ISSUER: 'https://auth.example.com',
        TRUSTED_DOCUMENTS_FILE: await fileWith(content),
        ...more,
      }),
    )

  test.each([
    ['text that is no JSON', '{', 'cannot be read as JSON'],
    ['a list', [viewer], 'must be a JSON object of documents by their hashes'],
    ['documents that are no text', { abc: { query: viewer } }, 'is no text'],
    ['a document that cannot be parsed', { abc: 'query {' }, 'abc: Syntax Error'],
    ['a document that does not fit', { abc: '{ nothing }' }, 'abc: Cannot query field "nothing"'],
    ['a mutation', { abc: 'mutation { createUser }' }, 'abc: This graph answers queries alone.'],
    ['a fragment alone', { abc: 'fragment F on User { name }' }, 'abc: '],
  ])('%s', async (_, content, complaint) => {
    const refused = start(content)
    await expect(refused).rejects.toThrow(ConfigError)
    await expect(refused).rejects.toThrow('TRUSTED_DOCUMENTS_FILE')
    await expect(refused).rejects.toThrow(complaint)
  })

  test('a file that is not there', () => {
    const missing = { TRUSTED_DOCUMENTS_FILE: join(directory, 'missing.json') }
    expect(() => loadConfig(missing)).toThrow('TRUSTED_DOCUMENTS_FILE: cannot be read as JSON')
  })

  test('GraphiQL beside it', async () => {
    await expect(start(listed, { GRAPHIQL: 'on' })).rejects.toThrow('GRAPHIQL: cannot be on')
  })
})
