import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { buildSchema, isObjectType } from 'graphql'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Gateway } from '../../src/gateway.ts'
import { type Server, startServer } from '../../src/http/server.ts'
import { documentedBlock } from '../support/documentation.ts'
import { world } from '../support/world.ts'
import { compile, createApplication, documented, packages, readJson } from './support/clients.ts'

/*
 * The real clients, each as docs/clients.md says it is set up: they page both ways, refetch, know objects again that they have
 * seen elsewhere, and send the names of documents. The files of the application are the blocks of that page.
 */

const { gateway, gatewayWith, identity, sql, ada, bob, ...cast } = await world({ own: true })
const club = await identity.createOrganization(ada, 'Club')
for (const person of [bob, cast.carol, cast.root, cast.rita, cast.ivy, cast.ines])
  await identity.addMember(club, person, 'member')
const members = ['Ada', 'Bob', 'Carol', 'Root', 'Rita', 'Ivy', 'Ines']
const authorization = `Bearer ${await ada.jwt()}`
const application = await createApplication()
const servers: Server[] = []
/** Of a gateway that answers any document. */
let url: string

const sdl = await application.load('node_modules/identity-gateway/schema.graphql?raw')
const schema = buildSchema(sdl.default)

async function serve(served: Gateway): Promise<string> {
  const server = await startServer(served, { host: '127.0.0.1', port: 0 })
  servers.push(server)
  return `${server.url}/graphql`
}

const serveTrusted = (documents: string) =>
  serve(gatewayWith({ TRUSTED_DOCUMENTS_FILE: join(application.folder, documents) }))

/** What was sent, and what the clients complained of. */
const sent: { readonly method: string; readonly body: string }[] = []
const complaints: string[] = []
const { fetch: send } = globalThis

beforeAll(async () => {
  url = await serve(gateway)
  for (const file of ['src/Members.ts', 'src/environment.ts'])
    await application.write(file, documented(file))
  for (const file of ['apollo.ts', 'apollo-persisted.ts', 'urql.ts', 'urql-persisted.ts'])
    await application.write(file, documented(file))
  await application.write('introspect.ts', documented('introspect.ts'))
  await application.write('src/Backwards.ts', backwards)
  await application.write('src/apollo-queries.ts', apolloQueries)
  const documents = ['src/apollo-queries.ts']
  await application.write('persisted-query-manifest.config.json', JSON.stringify({ documents }))
  await application.run('generate-persisted-query-manifest')
  await withFolder(() => application.load('introspect.ts'))
})

afterAll(async () => {
  for (const server of servers) await server.stop()
  await application.remove()
})

beforeEach(() => {
  sent.length = 0
  complaints.length = 0
  const complain = (...words: unknown[]) => complaints.push(words.join(' '))
  for (const name of ['warn', 'error'] as const)
    vi.spyOn(console, name).mockImplementation(complain)
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (address, options = {}) => {
    const { method = 'GET', body } = options
    sent.push({ method, body: String(body ?? new URL(String(address)).searchParams) })
    return send(address, options)
  })
})

afterEach(async () => {
  vi.restoreAllMocks()
  await sql(`update users set name = 'Bob' where id = $1`, [bob.id])
  // Of keys that are missing, pages that cannot be merged, and whatever else a client finds wrong.
  expect(complaints).toEqual([])
})

/** The blocks name files as from the folder of the application. */
async function withFolder(then: () => Promise<unknown>): Promise<void> {
  const before = process.cwd()
  process.chdir(application.folder)
  await then().finally(() => process.chdir(before))
}

const rename = () => sql(`update users set name = 'Robert' where id = $1`, [bob.id])

test('every block compiles', async () => {
  await compile(application)
})

test('code generators are told of scalars as the one of test/bff is', async () => {
  const scalarsOf = (text: string) =>
    /scalars: (\{[^}]*\})/.exec(text)?.[1]?.replaceAll(/\s+/g, ' ')
  const config = await application.load('../../bff/codegen.ts?raw')
  expect(scalarsOf(documented('codegen.ts'))).toBe(scalarsOf(config.default))
  const custom = Object.keys(schema.getTypeMap()).filter(
    (name) => schema.getType(name)?.astNode?.kind === 'ScalarTypeDefinition',
  )
  expect(custom.sort()).toEqual(['DateTime', 'JSON', 'Permission'])
})

test('types without a key are those that the page names', () => {
  const keyless = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !/^__|^(Query|Subscription)$|Connection$|Edge$|^PageInfo$/.test(name))
    .filter((type) => !type.getFields().id)
    .map(({ name }) => name)
  const named = (file: string, key: RegExp) =>
    [...documented(file).matchAll(key)].map(([, name]) => name).sort()
  expect(keyless.length).toBeGreaterThan(1)
  expect(named('apollo.ts', /(\w+): \{ keyFields: false \}/g)).toEqual(keyless.sort())
  expect(named('urql.ts', /(\w+): \(\) => null/g)).toEqual(keyless.sort())
})

const backwards = `import { graphql } from 'relay-runtime'

export const screen = graphql\`
  query BackwardsQuery($slug: String!) {
    organizationBySlug(slug: $slug) {
      ...Members_organization @arguments(last: 2)
    }
  }
\`
`

describe('Relay', () => {
  const {
    createOperationDescriptor,
    fetchQuery,
    getPaginationMetadata,
    getPaginationVariables,
    getRefetchMetadata,
    getSingularSelector,
  } = packages('relay-runtime')

  beforeAll(async () => {
    const config = documentedBlock('"eagerEsModules"').text
    await application.write('relay.config.json', config)
    await application.run('relay-compiler')
  })

  async function open(query: string, at = url) {
    const { createEnvironment } = await application.load('src/environment.ts')
    const environment = createEnvironment(at, authorization)
    const request = (await artifact(query)).default
    const variables = { slug: club.slug }
    await fetchQuery(environment, request, variables).toPromise()
    const operation = createOperationDescriptor(request, variables)
    environment.retain(operation)
    const { data } = environment.lookup(operation.fragment)
    return { environment, owner: data.organizationBySlug }
  }

  /** Where the compiler has written. */
  let artifacts = 'src/__generated__'
  const artifact = (name: string) => application.load(`${artifacts}/${name}.graphql.ts`)

  /** What usePaginationFragment does, without React. */
  async function usePagination(query: string, at = url) {
    const { environment, owner } = await open(query, at)
    const fragment = (await artifact('Members_organization')).default
    const selector = getSingularSelector(fragment, owner)
    const read = () => environment.lookup(selector).data.members
    const { paginationRequest, paginationMetadata } = getPaginationMetadata(fragment, 'members')
    const { identifierInfo } = getRefetchMetadata(fragment, 'members')
    const load = async (direction: 'forward' | 'backward') => {
      const { startCursor, endCursor } = read().pageInfo
      const cursor = direction === 'forward' ? endCursor : startCursor
      const variables = getPaginationVariables(
        direction,
        2,
        cursor,
        selector.variables,
        {},
        paginationMetadata,
      )
      const id = environment.lookup(selector).data[identifierInfo.identifierField]
      const all = { ...variables, [identifierInfo.identifierQueryVariableName]: id }
      await fetchQuery(environment, paginationRequest, all, {
        networkCacheConfig: { force: true },
      }).toPromise()
    }
    const names = (): string[] =>
      read().edges.map(
        ({ node }: { readonly node: { readonly user: { readonly name: string } } }) =>
          node.user.name,
      )
    return { environment, read, load, names }
  }

  test('pages forward', async () => {
    const { read, load, names } = await usePagination('MembersQuery')
    const seen = [names()]
    while (read().pageInfo.hasNextPage) {
      await load('forward')
      seen.push(names())
    }
    expect(seen).toEqual([2, 4, 6, 7].map((count) => members.slice(0, count)))
    expect(read().totalCount).toBe(7)
    expect(sent).toHaveLength(4)
  })

  test('pages backward', async () => {
    const { read, load, names } = await usePagination('BackwardsQuery')
    const seen = [names()]
    while (read().pageInfo.hasPreviousPage) {
      await load('backward')
      seen.push(names())
    }
    expect(seen).toEqual([2, 4, 6, 7].map((count) => members.slice(-count)))
  })

  test('fetches an object again, which is the same wherever it was seen', async () => {
    const { environment, names } = await usePagination('MembersQuery')
    expect(names()).toEqual(['Ada', 'Bob'])
    await rename()
    const request = (await artifact('MembersPersonQuery')).default
    await fetchQuery(environment, request, { id: bob.id }).toPromise()
    expect(names()).toEqual(['Ada', 'Robert'])
  })

  test('sends the names that its compiler gives, and no text', async () => {
    const config = await readJson(application, 'relay.config.json')
    artifacts = 'src/persisted'
    const further = {
      artifactDirectory: artifacts,
      persistConfig: { file: './persisted.json', algorithm: 'SHA256' },
    }
    await application.write('persisting.json', JSON.stringify({ ...config, ...further }))
    await application.write(`${artifacts}/.keep`, '')
    await application.write('persisted.json', '{}')
    await application.run('relay-compiler', 'persisting.json')
    const persisted = await readJson(application, 'persisted.json')
    expect(Object.keys(persisted)).toHaveLength(4)
    const trusted = await serveTrusted('persisted.json')
    const { load, names } = await usePagination('MembersQuery', trusted)
    await load('forward')
    expect(names()).toEqual(members.slice(0, 4))
    expect(sent.map(({ body }) => Object.keys(JSON.parse(body)))).toEqual([
      ['doc_id', 'variables'],
      ['doc_id', 'variables'],
    ])
  })
})

const list = `
  query List($slug: String!, $first: Int, $after: String, $last: Int, $before: String) {
    organizationBySlug(slug: $slug) {
      id
      roles { name permissions }
      members(first: $first, after: $after, last: $last, before: $before) {
        totalCount
        edges { cursor node { id roles user { id name } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }
`
const one = 'query One($id: ID!) { user(id: $id) { id name } }'
const may = `query May($checks: [PermissionCheckInput!]!) {
  checkPermissions(checks: $checks) { allowed permission }
}`
const checks = ['leave:approve', 'leave:request'].map((permission) => ({
  organizationId: club.id,
  permission,
}))

const apolloQueries = `import { gql } from '@apollo/client'

export const LIST = gql\`${list}\`
export const ONE = gql\`${one}\`
export const MAY = gql\`${may}\`
`

interface Page {
  readonly organizationBySlug: {
    readonly members: {
      readonly edges: readonly { readonly node: { readonly user: { readonly name: string } } }[]
      readonly pageInfo: {
        readonly hasNextPage: boolean
        readonly hasPreviousPage: boolean
        readonly startCursor: string
        readonly endCursor: string
      }
    }
  }
}

const namesOf = ({ organizationBySlug }: Page) =>
  organizationBySlug.members.edges.map(({ node }) => node.user.name)
const pageInfoOf = ({ organizationBySlug }: Page) => organizationBySlug.members.pageInfo

describe('Apollo Client', () => {
  async function open(at = url, ...before: unknown[]) {
    const { createClient } = await application.load('apollo.ts')
    return createClient(at, authorization, ...before)
  }

  async function watch(variables: object, at = url, ...before: unknown[]) {
    const client = await open(at, ...before)
    const { LIST } = await application.load('src/apollo-queries.ts')
    const query = client.watchQuery({ query: LIST, variables: { slug: club.slug, ...variables } })
    const subscription = query.subscribe(() => {})
    await client.query({ query: LIST, variables: { slug: club.slug, ...variables } })
    const read = (): Page => query.getCurrentResult().data
    // The cache tells of what has come a moment later.
    const more = async (variables: object) => {
      const { length } = namesOf(read())
      await query.fetchMore({ variables })
      await expect.poll(() => namesOf(read()).length).toBeGreaterThan(length)
    }
    return { client, more, read, stop: () => subscription.unsubscribe() }
  }

  test('pages forward', async () => {
    const { more, read, stop } = await watch({ first: 3 })
    const seen = [namesOf(read())]
    while (pageInfoOf(read()).hasNextPage) {
      await more({ after: pageInfoOf(read()).endCursor })
      seen.push(namesOf(read()))
    }
    expect(seen).toEqual([3, 6, 7].map((count) => members.slice(0, count)))
    stop()
  })

  test('pages backward', async () => {
    const { more, read, stop } = await watch({ last: 3 })
    const seen = [namesOf(read())]
    while (pageInfoOf(read()).hasPreviousPage) {
      await more({ before: pageInfoOf(read()).startCursor })
      seen.push(namesOf(read()))
    }
    expect(seen).toEqual([3, 6, 7].map((count) => members.slice(-count)))
    stop()
  })

  test('fetches an object again, which is the same wherever it was seen', async () => {
    const { client, read, stop } = await watch({ first: 3 })
    const { ONE, MAY } = await application.load('src/apollo-queries.ts')
    await rename()
    await client.query({ query: ONE, variables: { id: bob.id }, fetchPolicy: 'network-only' })
    await expect.poll(() => namesOf(read())).toEqual(['Ada', 'Robert', 'Carol'])
    // What has no key is told twice without a complaint.
    for (const asked of [checks, [...checks].reverse()])
      await client.query({ query: MAY, variables: { checks: asked }, fetchPolicy: 'network-only' })
    stop()
  })

  test('goes on with texts where hashes are not kept', async () => {
    const { PersistedQueryLink } = await import(
      packages.resolve('@apollo/client/link/persisted-queries').replace('.cjs', '.js')
    )
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    const client = await open(url, new PersistedQueryLink({ sha256 }))
    const { LIST, ONE } = await application.load('src/apollo-queries.ts')
    const variables = { slug: club.slug, first: 3 }
    const { data } = await client.query({ query: LIST, variables })
    expect(namesOf(data)).toHaveLength(3)
    expect((await client.query({ query: ONE, variables: { id: bob.id } })).data.user.name).toBe(
      'Bob',
    )
    expect(sent.map(({ body }) => 'query' in JSON.parse(body))).toEqual([false, true, true])
  })

  test('sends the names of its manifest, and no text', async () => {
    const trusted = await serveTrusted('persisted-query-manifest.json')
    const { persisted } = await application.load('apollo-persisted.ts')
    const { more, read, stop } = await watch({ first: 3 }, trusted, persisted)
    await more({ after: pageInfoOf(read()).endCursor })
    expect(namesOf(read())).toEqual(members.slice(0, 6))
    expect(sent.map(({ body }) => 'query' in JSON.parse(body))).toEqual([false, false])
    stop()
  })
})

describe('urql', () => {
  const { formatDocument, gql, stringifyDocument } = packages('@urql/core')

  async function open(at = url, ...before: unknown[]) {
    const { createClient } = await application.load('urql.ts')
    const client = createClient(at, authorization, ...before)
    // biome-ignore lint/suspicious/noExplicitAny: whatever the operation selects
    const ask = async (query: unknown, variables: object, context = {}): Promise<any> => {
      const { data, error } = await client.query(query, variables, context).toPromise()
      expect(error).toBeUndefined()
      return data
    }
    return ask
  }

  test('pages forward', async () => {
    const ask = await open()
    let page = await ask(list, { slug: club.slug, first: 3 })
    const seen = [namesOf(page)]
    while (pageInfoOf(page).hasNextPage) {
      const after = pageInfoOf(page).endCursor
      page = await ask(list, { slug: club.slug, first: 3, after })
      seen.push(namesOf(page))
    }
    expect(seen).toEqual([3, 6, 7].map((count) => members.slice(0, count)))
  })

  test('pages backward', async () => {
    const ask = await open()
    let page = await ask(list, { slug: club.slug, last: 3 })
    const seen = [namesOf(page)]
    while (pageInfoOf(page).hasPreviousPage) {
      const before = pageInfoOf(page).startCursor
      page = await ask(list, { slug: club.slug, last: 3, before })
      seen.push(namesOf(page))
    }
    expect(seen).toEqual([3, 6, 7].map((count) => members.slice(-count)))
  })

  test('fetches an object again, which is the same wherever it was seen', async () => {
    const ask = await open()
    const variables = { slug: club.slug, first: 3 }
    await ask(list, variables)
    await rename()
    await ask(one, { id: bob.id }, { requestPolicy: 'network-only' })
    const seen = await ask(list, variables, { requestPolicy: 'cache-only' })
    expect(namesOf(seen)).toEqual(['Ada', 'Robert', 'Carol'])
    for (const asked of [checks, [...checks].reverse()]) await ask(may, { checks: asked })
  })

  test('goes on with texts where hashes are not kept', async () => {
    const { persistedExchange } = packages('@urql/exchange-persisted')
    const ask = await open(url, persistedExchange())
    expect(namesOf(await ask(list, { slug: club.slug, first: 3 }))).toHaveLength(3)
    expect((await ask(one, { id: bob.id })).user.name).toBe('Bob')
    expect(sent.map(({ body }) => /query[ +](List|One)/.test(body))).toEqual([false, true, true])
  })

  test('sends the names that codegen keeps in documents, and no text', async () => {
    // As the client preset makes them: a document with its hash beside it, and a file with both.
    const documents = [list, one].map((text) => {
      const document = gql(text)
      const whole = stringifyDocument(formatDocument(document))
      const hash = createHash('sha256').update(whole).digest('hex')
      return { hash, whole, document: Object.assign(document, { __meta__: { hash } }) }
    })
    const file = Object.fromEntries(documents.map(({ hash, whole }) => [hash, whole]))
    await application.write('persisted-documents.json', JSON.stringify(file))
    const trusted = await serveTrusted('persisted-documents.json')
    const { persisted } = await application.load('urql-persisted.ts')
    const ask = await open(trusted, persisted)
    const [{ document } = { document: null }] = documents
    expect(namesOf(await ask(document, { slug: club.slug, first: 3 }))).toHaveLength(3)
    expect(sent).toEqual([
      { method: 'POST', body: expect.not.stringMatching(/organizationBySlug/) },
    ])
  })
})
