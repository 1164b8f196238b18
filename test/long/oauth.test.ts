import { expect, test } from 'vitest'
import { readAnew } from '../support/oauth.ts'
import { createProver } from '../support/prover.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import { oauthProvider, providerOf, resource } from './support/oauth-provider.ts'

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

const ask = async (token: string, query: string, asked = gateway) => {
  const { status, data, errors } = await asked.graphql(query, { token })
  const line = asked.logged.findLast((line) => line.includes('"msg":"request"')) ?? '{}'
  const { caller, refused } = JSON.parse(line)
  return { status, data, caller, refused, codes: errors.map(({ extensions }) => extensions.code) }
}
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
      const { errors } = await gateway.graphql(query, { headers })
      const line = gateway.logged.findLast((line) => line.includes('"msg":"request"')) ?? '{}'
      return [errors, JSON.parse(line).caller]
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

test('in a thousand random states both say the same, and the app is told no more than was consented to', async () => {
  const random = randomFrom(18)
  const other = await provider.createApp(eve)
  const consents = []
  for (const person of [ada, carol, eve])
    for (const by of [app, other])
      for (const scope of ['identity:read', everything, 'openid permissions:check'])
        consents.push({ person, by, scope, ...(await provider.consent(person, by, scope)) })
  const accepted = { yes: 0, no: 0 }
  for (let state = 0; state < 1000; state++) {
    const chance = () => random.chance(0.3)
    const { person, by, scope, access_token } = random.one(consents) ?? consents[0] ?? never()
    await sql(`update "oauthClient" set disabled = $2 where "clientId" = $1`, [
      by.client_id,
      chance(),
    ])
    await sql(`update sessions set expires_at = now() + $2 * interval '1 day' where user_id = $1`, [
      person.id,
      chance() ? -1 : 1,
    ])
    const can = 'can(permission: "leave:request", organizationId: "x")'
    const query = `{ viewer { id email } ${scope.includes('permissions:check') ? can : ''} }`
    const { data, codes } = await ask(access_token, query)
    const lives = !codes.includes('UNAUTHENTICATED')
    const what = `state ${state}: ${person.name}, ${scope}`
    expect([what, lives]).toEqual([what, await provider.isActive(by, access_token)])
    accepted[lives ? 'yes' : 'no']++
    const shown = [data?.viewer?.id, data?.viewer?.email, data?.can].map((value) => value != null)
    const granted = ['identity:read', 'identity:pii', 'permissions:check'].map((name) =>
      scope.includes(name),
    )
    if (lives) expect([what, shown]).toEqual([what, granted])
  }
  expect(Math.min(accepted.yes, accepted.no)).toBeGreaterThan(100)
})

function never(): never {
  throw new Error('Nobody has consented.')
}
