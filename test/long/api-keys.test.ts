import type { BetterAuthPlugin } from 'better-auth'
import { expect, test } from 'vitest'
import { organizationConfig } from '../support/api-keys.ts'
import { readAnew } from '../support/oauth.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import { ban, bans, createComparison } from './support/states.ts'

/* Keys of a real Better Auth with its api-key plug-in, as users and organizations get them. */

async function apiKey(): Promise<BetterAuthPlugin> {
  const place: string = '../oauth/node_modules/@better-auth/api-key/dist/index.mjs'
  const { apiKey } = await import(place)
  const rateLimit = { enabled: false }
  return apiKey([
    { configId: 'default', rateLimit },
    { configId: organizationConfig, references: 'organization', rateLimit },
    { configId: 'plain', disableKeyHashing: true, rateLimit },
    { configId: 'limited', rateLimit: { enabled: true, maxRequests: 5, timeWindow: 3_600_000 } },
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

const ask = (key: string, query: string) => gateway.told(query, { headers: { 'x-api-key': key } })
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

/** Whose configuration is not the usual one. */
const configs: Readonly<Record<string, string>> = {
  organization: organizationConfig,
  plain: 'plain',
  limited: 'limited',
}

/** Where the gateway says something else of a key than verifying it does, and why. */
const differences = {
  'owner banned': 'verifying asks whether the key is good, and not whose it is',
  'owner gone': 'nor whether they still exist: nothing ties a key to its owner in the database',
  metered: 'to count its uses is to write',
  'used up for now': 'the rate limit of a key is counted by verifying it, which writes',
  'stored as it is': 'keys are looked up by their hashes alone',
}

test('in hundreds of random states the gateway accepts what Better Auth does, but for what is listed', async () => {
  const random = randomFrom(19)
  const { compare, end } = createComparison('API keys', differences)
  const refusals = new Set<unknown>()
  for (let index = 0; index < 500; index++) {
    const chance = () => random.chance(0.1)
    const person = random.one([ada, bob, carol, eve]) ?? ada
    const kind = random.one(['user', 'user', 'organization', 'organization', 'plain', 'limited'])
    const isMachine = kind === 'organization'
    const permissions = random.one([everything, { identity: ['read'] }, { projects: ['read'] }])
    const state = {
      index,
      kind,
      permissions,
      isDeleted: chance(),
      hasNoOwner: chance(),
      ban: isMachine ? undefined : random.one(bans),
      enabled: random.one([true, true, true, true, false, null]),
      hours: random.one([null, 1, 1, 1, -1]),
      remaining: random.one([null, null, null, null, 0, 5]),
      usedUp: kind === 'limited',
    }
    const configId = kind && configs[kind]
    const owner = isMachine ? { organizationId: acme.id, userId: ada.id } : { userId: person.id }
    const { id, key } = await createApiKey({
      body: { ...owner, ...(configId && { configId }), permissions },
    })
    await sql(
      `update apikey set enabled = $2, "expiresAt" = now() + $3 * interval '1 hour', remaining = $4,
         "referenceId" = case when $5 then 'gone' else "referenceId" end,
         "requestCount" = $6, "lastRequest" = now() where id = $1`,
      [id, state.enabled, state.hours, state.remaining, state.hasNoOwner, state.usedUp ? 10 : 0],
    )
    await ban(sql, person.id, state.ban ?? bans[0])
    if (state.isDeleted) await sql('delete from apikey where id = $1', [id])
    const { codes, refused, caller } = await ask(key, isMachine ? ofAcme : own)
    const accepted = !codes.includes('UNAUTHENTICATED')
    refusals.add(refused)
    if (accepted) expect(caller).toBe(isMachine ? 'organization' : 'delegated')
    // Verified afterwards: that deletes what has ended, and counts.
    const verify = async () =>
      (await verifyApiKey({ body: { key, ...(kind === 'plain' && { configId }) } })).valid
    const betterAuth = await verify()
    if (state.usedUp) await sql('update apikey set "requestCount" = 0 where id = $1', [id])
    // A key without permissions is told nothing, before anybody asks whose it is.
    const isAsked = 'identity' in (permissions ?? {})
    compare({
      state,
      gateway: accepted,
      betterAuth,
      differences: {
        ...(isAsked && state.ban?.lasts && { 'owner banned': false }),
        ...(isAsked && state.hasNoOwner && { 'owner gone': false }),
        ...(state.remaining !== null && { metered: false }),
        ...(kind === 'plain' && { 'stored as it is': false }),
        ...(state.usedUp && { 'used up for now': await verify() }),
      },
    })
  }
  const reasons = ['disabled key', 'expired', 'metered key', 'unknown key']
  expect([...refusals]).toEqual(expect.arrayContaining(reasons))
  end()
})
