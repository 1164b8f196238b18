import { describe, expect, test } from 'vitest'
import { readAnew } from '../support/oauth.ts'
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

describe('the gateway accepts what Better Auth says is active', () => {
  const verdicts = async (token: string) => ({
    gateway: (await ask(token, viewer)).codes.length === 0,
    betterAuth: await provider.isActive(app, token),
  })
  const both = (accepted: boolean) => ({ gateway: accepted, betterAuth: accepted })

  test('until the session ends in which somebody consented', async () => {
    const { access_token } = await provider.consent(bob, app, everything)
    expect(await verdicts(access_token)).toEqual(both(true))
    await betterAuth.auth.api.signOut({ headers: bob.headers })
    expect(await verdicts(access_token)).toEqual(both(false))
  })

  test('until the client is disabled', async () => {
    const { access_token } = await provider.consent(ada, app, everything)
    const disable = (disabled: boolean) =>
      sql('update "oauthClient" set disabled = $1 where "clientId" = $2', [disabled, app.client_id])
    await disable(true)
    expect(await verdicts(access_token)).toEqual(both(false))
    await disable(false)
    expect(await verdicts(access_token)).toEqual(both(true))
  })

  test('but for somebody who is banned, whom introspection does not look at', async () => {
    const { access_token } = await provider.consent(carol, app, everything)
    await sql('update users set banned = true where id = $1', [carol.id])
    expect(await verdicts(access_token)).toEqual({ gateway: false, betterAuth: true })
  })
})
