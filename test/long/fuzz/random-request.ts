import { gzipSync } from 'node:zlib'
import type { GraphQLSchema } from 'graphql'
import { hostileTexts, hostileValues } from '../../support/hostile-values.ts'
import type { Random } from '../../support/random.ts'
import {
  type RandomDocument,
  randomDocument,
  type ScalarValue,
} from '../../support/random-document.ts'

export interface FuzzedRequest {
  /** Which of the makers below made it. */
  readonly kind: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  /** Sent in pieces, without Content-Length. */
  readonly chunked: boolean
}

/** What the fuzzer knows of the gateway that it asks. */
export interface Knowledge {
  readonly schema: GraphQLSchema
  /** Of users, organizations, members, teams and invitations. */
  readonly ids: readonly string[]
  readonly emails: readonly string[]
  readonly cursors: readonly string[]
  readonly tokens: readonly string[]
  /** What is sent as API keys. */
  readonly keys: readonly string[]
  readonly cookies: readonly string[]
}

export function randomRequest(random: Random, knowledge: Knowledge): FuzzedRequest {
  const [kind, make] = pick(random)
  const { headers, ...request } = make(random, knowledge)
  return {
    kind,
    method: 'POST',
    path: '/graphql',
    body: null,
    chunked: random.chance(0.05),
    headers: { ...credentials(random, knowledge), ...accepts(random), ...headers },
    ...request,
  }
}

type Maker = (random: Random, knowledge: Knowledge) => Partial<Omit<FuzzedRequest, 'kind'>>

const makers: Readonly<Record<string, readonly [weight: number, make: Maker]>> = {
  'a document of the graph': [40, (random, known) => json(document(random, known))],
  'a document with tokens moved': [
    15,
    (random, known) => {
      const { query, variables } = document(random, known)
      return json({ query: disturbed(random, query, /\s+|\b/), variables })
    },
  ],
  'a document with characters changed': [
    10,
    (random, known) => {
      const { query, variables } = document(random, known)
      return json({ query: disturbed(random, query, /(?:)/u), variables })
    },
  ],
  'parameters of other types': [8, (random, known) => json(parameters(random, known))],
  'a body that is broken': [
    6,
    (random, known) => {
      const body = Buffer.from(JSON.stringify(document(random, known)))
      for (let count = random.between(1, 6); count > 0; count--)
        body[random.between(0, body.length - 1)] = random.between(0, 255)
      const cut = random.chance(0.3) ? body.subarray(0, random.between(0, body.length)) : body
      return { body: cut, headers: { 'content-type': 'application/json' } }
    },
  ],
  'a body in another encoding': [
    3,
    (random, known) => {
      const body = Buffer.from(JSON.stringify(document(random, known)))
      const encoding = text(random, ['gzip', 'deflate', 'br', 'identity', 'x'])
      const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
      return { body: random.chance(0.7) ? gzipSync(body) : body, headers }
    },
  ],
  'another media type': [
    5,
    (random, known) => {
      const { query, variables } = document(random, known)
      const form = new URLSearchParams({ query, variables: JSON.stringify(variables) })
      const bodies = [JSON.stringify({ query, variables }), query, form.toString(), '--x\r\n\r\n']
      return {
        body: Buffer.from(text(random, bodies)),
        headers: { 'content-type': text(random, types) },
      }
    },
  ],
  'a GET': [
    7,
    (random, known) => {
      const { query, variables } = document(random, known)
      const search = new URLSearchParams({
        query: random.chance(0.2) ? disturbed(random, query, /\s+|\b/) : query,
        variables: random.chance(0.8) ? JSON.stringify(variables) : text(random, hostileTexts),
        ...(random.chance(0.1) ? { operationName: text(random, hostileTexts) } : {}),
      })
      return { method: 'GET', path: `/graphql?${search}`.slice(0, 12_000) }
    },
  ],
  'a mutation or subscription': [
    2,
    (random, known) => {
      const { query, variables } = document(random, known)
      return json({
        query: query.replace(/^query/, text(random, ['mutation', 'subscription'])),
        variables,
      })
    },
  ],
  'another method or path': [
    2,
    (random) => ({
      method: text(random, ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND']),
      path: text(random, [
        '/graphql',
        '/',
        '/graphql/',
        '//graphql',
        '/graphql?',
        '/health',
        '/..%2f',
        '/%',
        '/graphql?query=%ff',
      ]),
    }),
  ],
  'odd headers': [
    2,
    (random, known) => ({
      ...json(document(random, known)),
      headers: { 'content-type': 'application/json', ...oddHeaders(random) },
    }),
  ],
}

const types = [
  'application/json',
  'application/json; charset=utf-16',
  'application/graphql',
  'application/graphql+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/xml',
  '',
  'application/json, text/plain',
  '\u00ff/\u00fe',
]

function pick(random: Random): readonly [string, Maker] {
  const entries = Object.entries(makers)
  let left = random.between(
    1,
    entries.reduce((sum, [, [weight]]) => sum + weight, 0),
  )
  for (const [kind, [weight, make]] of entries) {
    left -= weight
    if (left <= 0) return [kind, make]
  }
  throw new Error('No maker.')
}

function text(random: Random, from: readonly string[]): string {
  return random.one(from) ?? ''
}

function json(value: unknown) {
  return {
    body: Buffer.from(JSON.stringify(value) ?? ''),
    headers: { 'content-type': 'application/json' },
  }
}

/** Most documents hold nothing hostile, so that they are executed. */
function document(random: Random, { schema, ...known }: Knowledge): RandomDocument {
  const hostile = random.chance(0.4)
  const scalar: ScalarValue = (random, type, name) => {
    if (hostile && random.chance(0.1)) return random.one(hostileValues)
    if (type === 'Int') return hostile ? random.between(-2, 200) : random.between(1, 30)
    if (type === 'Boolean') return random.chance(0.5)
    if (hostile && random.chance(0.3)) return random.one(hostileTexts)
    if (type === 'ID') return random.one(known.ids)
    if (type === 'DateTime') return '2026-01-01T00:00:00Z'
    if (type === 'Permission') return random.one(['leave:approve', 'member:create', 'ac:read'])
    if (name === 'after' || name === 'before')
      return hostile || random.chance(0.2) ? cursor(random, known.cursors) : undefined
    if (name === 'email') return random.one(known.emails)
    return random.one(['owner', 'member', 'acme', 'S', ...known.emails])
  }
  const depth = random.chance(0.1) ? random.between(5, 8) : random.between(1, 4)
  return randomDocument(random, schema, scalar, { depth, directives: true })
}

function cursor(random: Random, cursors: readonly string[]): string {
  const known = text(random, cursors)
  if (random.chance(0.4)) return known
  if (random.chance(0.3)) return disturbed(random, known, /(?:)/)
  const parts = [1, 'AAAAAAAAAAAA', random.one(hostileTexts), random.one(hostileTexts)]
  return Buffer.from(JSON.stringify(random.some(parts, random.between(0, 4)))).toString('base64url')
}

/** Pieces dropped, doubled, swapped, or replaced by something hostile. */
function disturbed(random: Random, whole: string, between: RegExp): string {
  const pieces = whole.split(between)
  for (let count = random.between(1, 3); count > 0; count--) {
    const at = random.between(0, pieces.length - 1)
    const how = random.between(0, 3)
    if (how === 0) pieces.splice(at, 1)
    else if (how === 1) pieces.splice(at, 0, pieces[random.between(0, pieces.length - 1)] ?? '')
    else if (how === 2)
      pieces.splice(
        at,
        1,
        text(random, [
          '{',
          '}',
          '(',
          ')',
          '...',
          '@skip',
          '$x',
          '!',
          '"',
          '"""',
          '#',
          '&',
          '1',
          ...hostileTexts,
        ]),
      )
    else pieces.reverse()
  }
  return pieces.join(between.source.includes('s') ? ' ' : '')
}

function parameters(random: Random, known: Knowledge): unknown {
  const { query, variables } = document(random, known)
  const odd = () => random.one<unknown>([...hostileValues, ...hostileTexts, query])
  const whole = { query, variables, operationName: null, extensions: {} }
  if (random.chance(0.2)) return odd()
  if (random.chance(0.2))
    return Array.from({ length: random.between(0, 12) }, () => (random.chance(0.8) ? whole : odd()))
  return {
    ...whole,
    [text(random, [
      'query',
      'variables',
      'operationName',
      'extensions',
      'id',
      'doc_id',
      '__proto__',
    ])]: odd(),
  }
}

function credentials(random: Random, known: Knowledge): Record<string, string> {
  const { tokens, keys, cookies } = known
  if (random.chance(0.1)) return {}
  if (random.chance(0.1)) {
    const key = text(random, keys)
    const others = random.chance(0.2) ? credentials(random, known) : {}
    return {
      ...others,
      'x-api-key': random.chance(0.8) ? key : printable(disturbed(random, key, /(?:)/)),
    }
  }
  if (random.chance(0.1)) {
    const cookie = text(random, cookies)
    return { cookie: printable(random.chance(0.5) ? cookie : disturbed(random, cookie, /(?:)/)) }
  }
  const token = text(random, tokens)
  const sent = random.chance(0.1) ? disturbed(random, token, /(?:)/) : token
  const scheme = random.chance(0.95) ? 'Bearer' : text(random, ['bearer', 'Basic', ''])
  return { authorization: printable(`${scheme} ${sent}`) }
}

function accepts(random: Random): Record<string, string> {
  if (random.chance(0.85)) return { accept: 'application/json' }
  return {
    accept: text(random, [
      'application/graphql-response+json',
      '*/*',
      'text/event-stream',
      'multipart/mixed',
      'text/plain',
      'x',
      'application/json;q=0',
    ]),
  }
}

function oddHeaders(random: Random): Record<string, string> {
  const names = [
    'host',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'forwarded',
    'origin',
    'referer',
    'x-http-method-override',
    'x-request-id',
    'traceparent',
    'expect',
    'range',
    'if-none-match',
    'content-language',
    'x-original-url',
  ]
  return Object.fromEntries(
    random
      .some(names, random.between(1, 4))
      .map((name) => [
        name,
        name === 'expect'
          ? '100-continue'
          : printable(
              text(random, [...hostileTexts, '127.0.0.1', 'evil.example.com', 'x'.repeat(4000)]),
            ),
      ]),
  )
}

/** What Node's client agrees to send; other bytes are sent over bare sockets by the attack suite. */
function printable(value: string): string {
  return value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 9000)
}
