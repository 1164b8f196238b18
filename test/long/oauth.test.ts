import { setTimeout } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Person } from '../support/identity.ts'
import { readAnew } from '../support/oauth.ts'
import { createProver } from '../support/prover.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import {
  type Client,
  elsewhere,
  oauthProvider,
  providerOf,
  resource,
} from './support/oauth-provider.ts'
import { ban, bans, createAttic, createComparison } from './support/states.ts'

/* Tokens of a real Better Auth with its oauth-provider plug-in, as apps and machines get them. */

const { gatewayWith, identity, sql, ada, bob, carol, eve, acme } = await world({
  own: true,
  betterAuth: { plugins: [await oauthProvider()] },
})
const provider = providerOf(identity)
const tables = await readAnew(identity)
const { betterAuth } = identity
const services = {
  ...tables,
  SERVICE_ISSUER: betterAuth.url,
  SERVICE_AUDIENCE: resource,
  SERVICE_JWKS_URL: `${betterAuth.url}/jwks`,
}
const gateway = gatewayWith({ ...services, OAUTH_AUDIENCE: resource })
const app = await provider.createApp(ada)
const machine = await provider.createMachine(ada)
const everything = 'openid identity:read identity:pii permissions:check'

const ask = (token: string, query: string, asked = gateway) => asked.told(query, { token })
const viewer = '{ viewer { id email organizations { nodes { id } } } }'
const everybody = '{ organizations { totalCount } }'

test('an app is told what its user sees, by a token from a consent with PKCE', async () => {
  const { access_token } = await provider.consent(ada, app, everything)
  expect(await ask(access_token, viewer)).toMatchObject({
    data: { viewer: { id: ada.id, email: ada.email, organizations: { nodes: [{ id: acme.id }] } } },
    caller: 'delegated',
    codes: [],
  })
  expect((await ask(access_token, everybody)).codes).toEqual(['FORBIDDEN'])
})

test('and no more than was consented to', async () => {
  const { access_token } = await provider.consent(ada, app, 'identity:read')
  expect(await ask(access_token, viewer)).toMatchObject({
    data: { viewer: { id: ada.id, email: null } },
    codes: ['FORBIDDEN'],
  })
})

test('one consent reads no organization but the user’s, where the same issuer signs for services', async () => {
  const { access_token } = await provider.consent(eve, app, everything)
  const alone = gatewayWith(services)
  expect(await ask(access_token, everybody, alone)).toMatchObject({
    status: 401,
    refused: 'service',
  })
  const { access_token: own } = await provider.credentials(machine, 'identity:read')
  for (const asked of [alone, gateway])
    expect(await ask(own, everybody, asked)).toMatchObject({ caller: 'service', codes: [] })
})

test('tokens that are for something else let nobody in', async () => {
  const { id_token = '' } = await provider.consent(ada, app, everything)
  expect(await ask(id_token, viewer)).toMatchObject({ status: 401, refused: 'audience' })
  const signedIn = gatewayWith({ AUTH_ISSUER: betterAuth.url, AUTH_AUDIENCE: app.client_id })
  expect(await ask(id_token, viewer, signedIn)).toMatchObject({ status: 401, refused: 'type' })
  const opaque = await provider.consent(ada, app, everything, {})
  expect((await ask(opaque.access_token, viewer)).status).toBe(401)
})

test('a token that was asked for with a key is accepted with a proof of the key alone', async () => {
  const atProvider = await createProver(provider.tokenUrl)
  const prove = async () => ({ dpop: await atProvider.prove(null) })
  const consented = await provider.consent(ada, app, everything, { resource }, await prove())
  const own = await provider.credentials(machine, 'identity:read', await prove())
  for (const [{ token_type, access_token }, query, caller] of [
    [consented, viewer, 'delegated'],
    [own, everybody, 'service'],
  ] as const) {
    expect(token_type).toBe('DPoP')
    const send = async () => {
      const headers = {
        authorization: `DPoP ${access_token}`,
        dpop: await atProvider.prove(access_token, { htu: resource }),
      }
      const { codes, caller } = await gateway.told(query, { headers })
      return [codes, caller]
    }
    expect([await send(), await send()]).toEqual([
      [[], caller],
      [[], caller],
    ])
    expect(await ask(access_token, query)).toMatchObject({ status: 401, refused: 'scheme' })
  }
})

test('the gateway accepts what Better Auth says is active, until somebody is banned or signs out', async () => {
  const { access_token } = await provider.consent(bob, app, everything)
  const verdicts = async () => ({
    gateway: (await ask(access_token, viewer)).codes.length === 0,
    betterAuth: await provider.isActive(app, access_token),
  })
  expect(await verdicts()).toEqual({ gateway: true, betterAuth: true })
  // Introspection does not look at bans.
  await sql('update users set banned = true where id = $1', [bob.id])
  expect(await verdicts()).toEqual({ gateway: false, betterAuth: true })
  await sql('update users set banned = false where id = $1', [bob.id])
  await betterAuth.auth.api.signOut({ headers: bob.headers })
  expect(await verdicts()).toEqual({ gateway: false, betterAuth: false })
})

/** Where the gateway says something else of a token than introspection does, and why. */
const differences = {
  banned: 'introspection does not ask: Better Auth looks at bans when somebody signs in',
  bound: 'it is sent without a proof of its key, which introspection is not shown',
  elsewhere: 'it is for another resource, whose server may not read people here with it',
  opaque: 'it names no resource, and its hash is in a table that the gateway does not read',
  'key withdrawn': 'introspection holds keys for five minutes, and the gateway for one',
  'resource taken away': 'the gateway knows itself; tokens for it end with exp',
  'machine disabled': 'tokens of services end with exp: their issuer need not be Better Auth',
}

test('in hundreds of random states both say the same, but for what is listed, and an app is told no more than was consented to', {
  timeout: 300_000,
}, async () => {
  const random = randomFrom(18)
  const real = performance.now.bind(performance)
  let ahead = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + ahead)
  onTestFinished(() => clock.mockRestore())

  const people = [ada, carol, eve, await identity.signUp('Dora'), await identity.signUp('Dan')]
  const mortal = people.slice(3)
  const other = await provider.createApp(eve)
  const tokens: { person?: Person; by: Client; scope: string; kind: string; token: string }[] = []
  const consent = async (
    kind: string,
    person: Person,
    by: Client,
    scope: string,
    ...further: [asked?: object, headers?: object]
  ) => {
    const { access_token, id_token } = await provider.consent(person, by, scope, ...further)
    tokens.push({ kind, person, by, scope, token: access_token })
    return id_token
  }
  for (const scope of [
    'identity:read',
    everything,
    'openid permissions:check',
    'openid identity:read identity:pii',
  ]) {
    for (const person of people)
      for (const by of [app, other]) await consent('usual', person, by, scope)
    // From here on Better Auth signs with another key.
    if (scope === everything) await sql(`update jwks set expires_at = now() - interval '1 minute'`)
    const { access_token } = await provider.credentials(machine, 'identity:read')
    tokens.push({ kind: 'machine', by: machine, scope: 'identity:read', token: access_token })
  }
  const prover = await createProver(provider.tokenUrl)
  for (const person of people) {
    const proof = { dpop: await prover.prove(null) }
    await consent('bound', person, app, everything, { resource }, proof)
    await consent('elsewhere', person, app, everything, { resource: elsewhere })
    await consent('opaque', person, app, everything, {})
  }
  const token = (await consent('usual', ada, app, everything)) ?? ''
  tokens.push({ kind: 'ID token', by: app, scope: everything, token })
  await sql('update "oauthResource" set "accessTokenTtl" = 1')
  for (const person of people) await consent('expired', person, app, everything)
  await setTimeout(1500)

  const keys = await createAttic(sql, 'jwks')
  const kids = await sql<{ id: string }>('select id from jwks')
  expect(kids).toHaveLength(2)
  const sessions = await createAttic(sql, 'sessions')
  const clients = await createAttic(sql, 'oauthClient')
  const resources = await createAttic(sql, 'oauthResource')
  const { compare, end } = createComparison('tokens of an OAuth provider', differences)
  const gone = new Set<Person>()

  for (let index = 0; index < 500; index++) {
    const chance = () => random.chance(0.1)
    const { kind, person, by, scope, token } = random.one(tokens) ?? never()
    const state = {
      index,
      kind,
      scope,
      person: person?.name,
      disabled: random.one([false, false, false, false, null, true]),
      clientGone: by === other && chance(),
      resourceGone: chance(),
      session: random.one(['lives', 'lives', 'lives', 'lives', 'expired', 'gone']),
      ban: random.chance(0.3) ? random.one(bans) : bans[0],
      keysGone: kids.filter(chance).map(({ id }) => id),
    }
    if (person && mortal.includes(person) && random.chance(0.04)) {
      await sql('delete from users where id = $1', [person.id])
      gone.add(person)
    }
    if (person && !gone.has(person)) {
      await sessions.keep(state.session !== 'gone', 'user_id', person.id)
      const days = state.session === 'expired' ? -1 : 1
      await sql(
        `update sessions set expires_at = now() + $2 * interval '1 day' where user_id = $1`,
        [person.id, days],
      )
      await ban(sql, person.id, state.ban ?? bans[0])
    }
    await clients.keep(!state.clientGone, 'clientId', by.client_id)
    const disable = (disabled: boolean | null = false) =>
      sql(`update "oauthClient" set disabled = $2 where "clientId" = $1`, [by.client_id, disabled])
    await disable(state.disabled)
    await resources.keep(!state.resourceGone, 'identifier', resource)
    for (const { id } of kids) await keys.keep(!state.keysGone.includes(id), 'id', id)
    ahead += 61_000

    const can = 'can(permission: "leave:request", organizationId: "x")'
    const asked = `{ viewer { id email } ${scope.includes('permissions:check') ? can : ''} }`
    const { data, codes } = await ask(token, kind === 'machine' ? everybody : asked)
    const accepted = !codes.includes('UNAUTHENTICATED')
    const betterAuth = await provider.isActive(by, token)
    const isDisabled = kind === 'machine' && state.disabled === true
    await resources.keep(true, 'identifier', resource)
    if (isDisabled) await disable()
    const isUndone = state.resourceGone || isDisabled
    const otherwise = isUndone ? await provider.isActive(by, token) : betterAuth
    const { kid = '' } = kind === 'opaque' ? {} : decodeProtectedHeader(token)
    compare({
      state,
      gateway: accepted,
      betterAuth,
      differences: {
        ...(person && !gone.has(person) && state.ban?.lasts && { banned: false }),
        ...(['bound', 'elsewhere', 'opaque'].includes(kind) && { [kind]: false }),
        ...(state.keysGone.includes(kid) && { 'key withdrawn': false }),
        ...(state.resourceGone && { 'resource taken away': otherwise }),
        ...(isDisabled && { 'machine disabled': otherwise }),
      },
    })
    if (!accepted || kind === 'machine') continue
    const shown = [data?.viewer?.id, data?.viewer?.email, data?.can].map((value) => value != null)
    const granted = ['identity:read', 'identity:pii', 'permissions:check'].map((name) =>
      scope.includes(name),
    )
    expect([state, shown]).toEqual([state, granted])
  }
  expect(gone.size).toBe(2)
  end()
})

function never(): never {
  throw new Error('There is nothing to choose from.')
}
