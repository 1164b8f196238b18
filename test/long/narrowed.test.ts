import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { scopes } from '../../src/domain/caller.ts'
import { printGraph } from '../../src/gateway.ts'
import { matrixWorld } from '../graph/matrix/world.ts'
import { layout } from '../support/layout.ts'
import { randomFrom } from '../support/random.ts'
import { randomDocument, type ScalarValue } from '../support/random-document.ts'

/*
 * Whatever is asked: an app or a key of a user is told a part of what its user is told, and a key of an organization a
 * part of what a service with its scopes is.
 */

const DOCUMENTS = 800

const { gateway, tokens, tokenOf, keyOf, services, sql, ada, acme } = await matrixWorld({
  LIMIT_COST: '10000000',
  LIMIT_TOKENS: '20000',
})
const schema = buildSchema(printGraph(layout))
const subsets = Array.from({ length: 2 ** scopes.length }, (_, bits) =>
  scopes.filter((_, place) => bits & (2 ** place)).join(' '),
)

type Credential = Parameters<typeof gateway.graphql>[1]

/** Each credential that is narrower than another one, with that one. */
const pairs: { readonly what: string; readonly narrow: Credential; readonly wide: Credential }[] =
  []
const adas = { token: await tokens.themself() }
const admins = { token: await tokens['a platform admin']() }
for (const granted of subsets) {
  const byKey = async (of: 'themself' | 'an organization') => ({
    headers: { 'x-api-key': await keyOf({ of, scopes: granted }) },
  })
  const byApp = async (of: 'themself' | 'a platform admin') => ({
    token: await tokenOf({ of, scopes: granted }),
  })
  const service = { token: await services.token(granted) }
  pairs.push(
    { what: `an app with "${granted}"`, narrow: await byApp('themself'), wide: adas },
    { what: `an admin's "${granted}"`, narrow: await byApp('a platform admin'), wide: admins },
    { what: `a key with "${granted}"`, narrow: await byKey('themself'), wide: adas },
    { what: `Acme with "${granted}"`, narrow: await byKey('an organization'), wide: service },
  )
}

/** What is not of the entities: where a page ends, and what an answer about permissions rests on. */
const passing =
  /^(cursor|startCursor|endCursor|has\w+Page|totalCountIsExact|source|resolvedAt|ageSeconds|readAt)$/

/** Less is null, false, a smaller number, or a list of some of the entries. */
function isWithin(narrow: unknown, wide: unknown, name = ''): boolean {
  if (narrow == null || narrow === false || passing.test(name)) return true
  if (typeof narrow === 'number') return narrow <= Number(wide)
  if (typeof narrow !== 'object') return narrow === wide
  if (Array.isArray(narrow))
    return (
      Array.isArray(wide) &&
      narrow.every((entry) => wide.some((other) => isWithin(entry, other, name)))
    )
  return (
    typeof wide === 'object' &&
    wide !== null &&
    Object.entries(narrow).every(([alias, value]) =>
      isWithin(value, Reflect.get(wide, alias), alias.replace(/^a\d_/, '')),
    )
  )
}

test(`in ${DOCUMENTS} random documents nobody narrowed is told what the wider is not`, {
  timeout: 300_000,
}, async () => {
  const random = randomFrom(21)
  const rows = await sql<{ id: string }>(
    'select id from users union all select id from organizations',
  )
  const emails = await sql<{ email: string }>('select email from users')
  const value: ScalarValue = (random, type, name) => {
    if (type === 'Int') return 20
    if (type === 'Boolean') return random.chance(0.5)
    if (type === 'ID') return random.one([ada.id, acme.id, ...rows.map(({ id }) => id)])
    if (type === 'DateTime') return '2020-01-01T00:00:00Z'
    if (type === 'Permission') return random.one(['leave:approve', 'invitation:create', 'ac:read'])
    if (name === 'slug') return acme.slug
    if (name === 'email') return random.one(emails)?.email
    return name === 'after' || name === 'before' ? undefined : random.one(['owner', 'a', 'acme'])
  }
  const told = { all: 0, some: 0, nothing: 0 }
  for (let i = 0; i < DOCUMENTS; i++) {
    const { query, variables } = randomDocument(random, schema, value, { depth: 5 })
    const pair = random.one(pairs)
    const ask = async (credential: Credential) => {
      const { data } = await gateway.graphql(query, { ...credential, variables })
      return data ?? null
    }
    const [narrow, wide] = [await ask(pair?.narrow), await ask(pair?.wide)]
    if (!isWithin(narrow, wide))
      expect([pair?.what, query, variables, narrow]).toEqual([pair?.what, query, variables, wide])
    const isSame = JSON.stringify(narrow) === JSON.stringify(wide)
    const isNothing = !Object.values(narrow ?? {}).some((value) => value !== null)
    told[isNothing ? 'nothing' : isSame ? 'all' : 'some']++
  }
  process.stdout.write(
    `Of what the wider are told, the narrower were told: ${JSON.stringify(told)}.\n`,
  )
  // It must have come to data often enough for the rest to mean something.
  expect(Math.min(told.all, told.some, told.nothing)).toBeGreaterThan(DOCUMENTS / 50)
})
