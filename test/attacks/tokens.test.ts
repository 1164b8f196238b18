import { createServer } from 'node:http'
import { afterAll, describe, expect, test } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { publishKey } from '../auth/published-keys.ts'
import { hostileTokens, type Target } from '../support/hostile-tokens.ts'
import { createSigner } from '../support/tokens.ts'
import { world } from '../support/world.ts'

const { gateway, identity, services, ada } = await world({ own: true })
const fetched: (string | undefined)[] = []
const attacker = createServer((request, response) => {
  fetched.push(request.url)
  response.end('{"keys":[]}')
})
const port = await listen(attacker, 0, '127.0.0.1')
const trusted = await createSigner('EdDSA', 'trusted')
await publishKey(identity, trusted)
const { issuer } = identity.betterAuth
const target: Target = {
  trusted,
  issuer,
  audience: issuer,
  userId: ada.id,
  attackerUrl: `http://127.0.0.1:${port}`,
  services,
}
const tokens = await hostileTokens(target)

afterAll(() => close(attacker))

const claims = () => {
  const now = Math.floor(Date.now() / 1000)
  return { iss: target.issuer, aud: target.audience, sub: target.userId, iat: now, exp: now + 600 }
}

test('an honest token of the same key is accepted', async () => {
  const token = await target.trusted.sign(claims())
  const { data } = await gateway.graphql('{ viewer { id } }', { token })
  expect(data).toEqual({ viewer: { id: target.userId } })
})

test('every hostile token is refused alike, logged nowhere, and makes the gateway ask nobody', async () => {
  expect(Object.keys(tokens).length).toBeGreaterThan(60)
  const asked = services.jwks.requests
  for (const [what, token] of Object.entries(tokens)) {
    const answer = await gateway.graphql('{ viewer { id } }', { token })
    expect(answer.status, what).toBe(401)
    expect(answer.errors, what).toEqual([
      {
        message: 'The credential is not valid.',
        extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) },
      },
    ])
    expect(answer.data ?? null, what).toBeNull()
    const [, payload = ''] = token.split('.')
    if (payload.length > 10) expect(gateway.logged.join('\n'), what).not.toContain(payload)
  }
  expect(fetched).toEqual([])
  // Only ever the configured address, and no more than the cool-down allows.
  expect(services.jwks.requests - asked).toBeLessThan(30)
})

test('the attacker could be reached', async () => {
  await fetch(`${target.attackerUrl}/probe`)
  expect(fetched.splice(0)).toEqual(['/probe'])
})

describe('a user remains a user', () => {
  test.each([
    ['a scope', { scope: 'identity:read identity:pii permissions:check' }],
    ['scopes and roles', { scp: ['identity:read'], role: 'admin', roles: ['admin'], admin: true }],
    ['names of properties', { __proto__: null, constructor: { prototype: { isAdmin: true } } }],
  ])('whose token carries %s', async (_what, extra) => {
    const token = await target.trusted.sign({ ...claims(), ...extra } as never)
    const { errors } = await gateway.graphql('{ users { totalCount } }', { token })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })
})

test('a service cannot pass for a user, whatever its subject says', async () => {
  const token = await services.token('identity:read', { sub: target.userId })
  const { data } = await gateway.graphql('{ viewer { id } }', { token })
  expect(data).toEqual({ viewer: null })
})

test.each(['scope', 'list', 'object'])('scopes in another form (%s) are none', async (form) => {
  const scope = { scope: 'identity:read-all IDENTITY:READ', list: ['identity:read'], object: {} }[
    form
  ]
  const token = await services.token(undefined, { scope })
  const { errors } = await gateway.graphql('{ users { totalCount } }', { token })
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})
