import type { BetterAuthPlugin } from 'better-auth'
import { expect, test } from 'vitest'
import { organizationConfig } from '../support/api-keys.ts'
import { readAnew } from '../support/oauth.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'

/* Keys of a real Better Auth with its api-key plug-in, as users and organizations get them. */

async function apiKey(): Promise<BetterAuthPlugin> {
  const place: string = '../oauth/node_modules/@better-auth/api-key/dist/index.mjs'
  const { apiKey } = await import(place)
  const rateLimit = { enabled: false }
  return apiKey([
    { configId: 'default', rateLimit },
    { configId: organizationConfig, references: 'organization', rateLimit },
    { configId: 'plain', disableKeyHashing: true, rateLimit },
  ])
}

const { gatewayWith, identity, sql, ada, bob, carol, eve, acme } = await world({
  own: true,
  betterAuth: { plugins: [await apiKey()] },
})
const tables = await readAnew(identity)
const gateway = gatewayWith({
  ...tables,
  AUTH_API_KEYS: 'on',
  AUTH_API_KEY_ORGANIZATIONS: organizationConfig,
})

interface Made {
  readonly id: string
  readonly key: string
}
type Body = Readonly<Record<string, unknown>>
const { createApiKey, verifyApiKey } = identity.betterAuth.auth.api as unknown as {
  createApiKey(given: { body: Body }): Promise<Made>
  verifyApiKey(given: { body: Body }): Promise<{ readonly valid: boolean }>
}
const everything = { identity: ['read', 'pii'], permissions: ['check'] }

const ask = async (key: string, query: string) => {
  const { status, data, errors } = await gateway.graphql(query, { headers: { 'x-api-key': key } })
  const line = gateway.logged.findLast((line) => line.includes('"msg":"request"')) ?? '{}'
  const { caller, refused } = JSON.parse(line)
  return { status, data, caller, refused, codes: errors.map(({ extensions }) => extensions.code) }
}
const own = '{ viewer { id } }'
const ofAcme = `{ organization(id: "${acme.id}") { id } }`

test('a key of a user is that user, and one of an organization that organization', async () => {
  const { key } = await createApiKey({ body: { userId: ada.id, permissions: everything } })
  expect(await ask(key, '{ viewer { id email } }')).toMatchObject({
    data: { viewer: { id: ada.id, email: ada.email } },
    caller: 'delegated',
  })
  const machine = await createApiKey({
    body: {
      configId: organizationConfig,
      organizationId: acme.id,
      userId: ada.id,
      permissions: everything,
    },
  })
  const asked = `{ organization(id: "${acme.id}") { members { totalCount } } user(id: "${ada.id}") { email } }`
  expect(await ask(machine.key, asked)).toMatchObject({
    data: { user: { email: ada.email } },
    caller: 'organization',
    codes: [],
  })
})

test('a key that is stored as it is is refused', async () => {
  const body = { configId: 'plain', userId: ada.id, permissions: everything }
  const { key } = await createApiKey({ body })
  expect(await verifyApiKey({ body: { key, configId: 'plain' } })).toMatchObject({ valid: true })
  expect(await ask(key, own)).toMatchObject({ status: 401, refused: 'unknown key' })
})

test('in hundreds of random states the gateway accepts what Better Auth does, but for what is said', async () => {
  const random = randomFrom(19)
  const seen = new Map<string, number>()
  await sql(`update users set banned = true where id = $1`, [bob.id])
  for (let state = 0; state < 400; state++) {
    const person = random.one([ada, bob, carol, eve]) ?? ada
    const isMachine = random.chance(0.3)
    const permissions = random.one([everything, { identity: ['read'] }, { projects: ['read'] }])
    const owner = isMachine
      ? { configId: organizationConfig, organizationId: acme.id, userId: ada.id }
      : { userId: person.id }
    const { id, key } = await createApiKey({ body: { ...owner, permissions } })
    const isDeleted = random.chance(0.1)
    const hasNoOwner = random.chance(0.1)
    const remaining = random.one([null, null, null, 0, 5])
    await sql(
      `update apikey set enabled = $2, "expiresAt" = now() + $3 * interval '1 hour', remaining = $4,
         "referenceId" = case when $5 then 'gone' else "referenceId" end where id = $1`,
      [
        id,
        random.one([true, true, true, false, null]),
        random.one([null, 1, 1, -1]),
        remaining,
        hasNoOwner,
      ],
    )
    if (isDeleted) await sql('delete from apikey where id = $1', [id])
    const { codes, refused, caller } = await ask(key, isMachine ? ofAcme : own)
    // Verified afterwards: that deletes what has ended, and counts.
    const { valid } = await verifyApiKey({ body: { key } })
    const isOurs = 'identity' in (permissions ?? {})
    const isOwned = !hasNoOwner && (isMachine || person !== bob)
    const accepted = !codes.includes('UNAUTHENTICATED')
    const what = JSON.stringify({ state, isMachine, permissions, remaining, hasNoOwner, refused })
    // Verifying asks neither whose the key is nor for permissions, and counts down what is metered.
    const expected = valid && remaining === null && (isOwned || !isOurs)
    expect([what, accepted]).toEqual([what, expected])
    if (accepted) expect(caller).toBe(isMachine ? 'organization' : 'delegated')
    const outcome = accepted ? 'accepted' : (refused ?? 'owner')
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
  const outcomes = ['accepted', 'disabled key', 'expired', 'metered key']
  expect([...seen.keys()].sort()).toEqual([...outcomes, 'owner', 'unknown key'].sort())
  expect(seen.get('accepted')).toBeGreaterThan(50)
})
