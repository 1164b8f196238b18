import { expect, test } from 'vitest'
import { readAnew } from '../support/oauth.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import { oauthProvider, providerOf, resource } from './support/oauth-provider.ts'

/* Opaque access tokens of a real Better Auth with its oauth-provider plug-in, as apps get them that ask for no resource. */

const { gatewayWith, identity, sql, ada, bob, carol, eve, acme } = await world({
  own: true,
  betterAuth: { plugins: [await oauthProvider()] },
})
const provider = providerOf(identity)
const { betterAuth } = identity
const environment = { ...(await readAnew(identity)), OAUTH_OPAQUE_TOKENS: 'on' }
const gateway = gatewayWith({ ...environment, OAUTH_AUDIENCE: resource })
const app = await provider.createApp(ada)
const everything = 'openid identity:read identity:pii permissions:check'

const ask = (token: string, query = '{ viewer { id email } }') => gateway.told(query, { token })
const verdicts = async (token: string, by = app) => ({
  gateway: !(await ask(token)).codes.includes('UNAUTHENTICATED'),
  betterAuth: await provider.isActive(by, token),
})
const both = (accepted: boolean) => ({ gateway: accepted, betterAuth: accepted })

test('an app is told what its user sees, by a token from a consent with PKCE', async () => {
  const { access_token } = await provider.consent(ada, app, everything, {})
  expect(access_token).toMatch(/^[A-Za-z]{32}$/)
  expect(
    await ask(access_token, '{ viewer { id email organizations { nodes { id } } } }'),
  ).toMatchObject({
    data: { viewer: { id: ada.id, email: ada.email, organizations: { nodes: [{ id: acme.id }] } } },
    caller: 'delegated',
    codes: [],
  })
  expect((await ask(access_token, '{ organizations { totalCount } }')).codes).toEqual(['FORBIDDEN'])
})

test('what a machine has for itself is refused: it may read everybody with a JWT alone', async () => {
  const machine = await provider.createMachine(ada)
  const { access_token } = await provider.credentials(machine, 'identity:read', {}, {})
  expect(await ask(access_token)).toMatchObject({ status: 401, refused: 'client' })
})

test('the gateway accepts what Better Auth says is active, until it is revoked or somebody signs out', async () => {
  const { access_token } = await provider.consent(bob, app, everything, {})
  const { access_token: other } = await provider.consent(bob, app, everything, {})
  expect(await verdicts(access_token)).toEqual(both(true))
  await provider.revoke(app, access_token)
  expect(await verdicts(access_token)).toEqual(both(false))
  // Introspection does not look at bans.
  await sql('update users set banned = true where id = $1', [bob.id])
  expect(await verdicts(other)).toEqual({ gateway: false, betterAuth: true })
  await sql('update users set banned = false where id = $1', [bob.id])
  expect(await verdicts(other)).toEqual(both(true))
  await betterAuth.auth.api.signOut({ headers: bob.headers })
  expect(await verdicts(other)).toEqual(both(false))
})

test('a session that is deleted by hand ends tokens here, though Better Auth has forgotten which', async () => {
  const { access_token } = await provider.consent(carol, app, everything, {})
  await sql('delete from sessions where user_id = $1', [carol.id])
  expect(await verdicts(access_token)).toEqual({ gateway: false, betterAuth: true })
})

test('in hundreds of random states both say the same', async () => {
  const random = randomFrom(20)
  const other = await provider.createApp(eve)
  const consents = []
  for (const person of [ada, eve])
    for (const by of [app, other])
      for (const scope of ['identity:read', everything])
        consents.push({ person, by, ...(await provider.consent(person, by, scope, {})) })
  const accepted = { yes: 0, no: 0 }
  for (let state = 0; state < 300; state++) {
    const chance = () => random.chance(0.2)
    const given = random.one(consents)
    if (!given) throw new Error('Nobody has consented.')
    const { person, by, access_token } = given
    await sql(`update "oauthClient" set disabled = $2 where "clientId" = $1`, [
      by.client_id,
      chance(),
    ])
    await sql(`update sessions set expires_at = now() + $2 * interval '1 day' where user_id = $1`, [
      person.id,
      chance() ? -1 : 1,
    ])
    await sql(
      `update "oauthAccessToken" set revoked = case when $2 then now() end,
         "expiresAt" = now() + $3 * interval '1 hour' where "userId" = $1`,
      [person.id, chance(), chance() ? -1 : 1],
    )
    const { gateway: ours, betterAuth: theirs } = await verdicts(access_token, by)
    expect([state, ours]).toEqual([state, theirs])
    accepted[ours ? 'yes' : 'no']++
  }
  expect(Math.min(accepted.yes, accepted.no)).toBeGreaterThan(30)
})
