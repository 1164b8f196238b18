import { randomBytes } from 'node:crypto'
import { buildSchema } from 'graphql'
import { printGraph } from '../../../src/gateway.ts'
import { publishKey } from '../../auth/published-keys.ts'
import type { MatrixWorld } from '../../graph/matrix/world.ts'
import { hostileTokens } from '../../support/hostile-tokens.ts'
import { layout } from '../../support/layout.ts'
import { createSigner } from '../../support/tokens.ts'
import type { Knowledge } from './random-request.ts'

/** Everything true that a fuzzer needs to get far, and tokens that should not get anywhere. */
export async function learn(world: MatrixWorld, url: string): Promise<Knowledge> {
  const { identity, services, tokens, tokenOf, keyOf } = world
  const rows = await identity.sql<{ id: string }>(
    `select id from users union all select id from organizations union all select id from members
     union all select id from teams union all select id from invitations`,
  )
  const emails = await identity.sql<{ email: string }>('select email from users')
  // Before there is another key, so that Better Auth has made its own.
  const honest = await Promise.all(Object.values(tokens).map((token) => token()))
  const trusted = await createSigner('EdDSA', `fuzz-${randomBytes(6).toString('hex')}`)
  await publishKey(identity, trusted)
  const { issuer } = identity.betterAuth
  const hostile = await hostileTokens({
    trusted,
    issuer,
    audience: issuer,
    userId: world.ada.id,
    attackerUrl: 'http://127.0.0.1:9',
    services,
  })
  const everything = {
    of: 'themself',
    scopes: 'identity:read identity:pii permissions:check',
  } as const
  const ofApp = await tokenOf(everything)
  const good = [...honest.filter((token) => token !== undefined), ofApp]
  const session = `better-auth.session_token=${encodeURIComponent(world.ada.session)}`
  return {
    schema: buildSchema(printGraph(layout)),
    ids: rows.map(({ id }) => id),
    emails: emails.map(({ email }) => email),
    cursors: await cursorsFrom(url, good),
    tokens: [...Array.from({ length: 24 }, () => good).flat(), ...Object.values(hostile)],
    keys: [await keyOf(everything), await keyOf({ ...everything, of: 'an organization' }), ofApp],
    cookies: [session, `__Secure-${session}`, `${session}; ${session}`, 'a=b'],
  }
}

const lists = `{
  viewer { organizations { pageInfo { endCursor } nodes { members { pageInfo { startCursor endCursor } }
    teams { pageInfo { endCursor } } invitations { pageInfo { endCursor } } } }
    memberships { pageInfo { endCursor } } sessions { pageInfo { endCursor } } }
  users { pageInfo { endCursor } } organizations { pageInfo { endCursor } }
}`

async function cursorsFrom(url: string, tokens: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const token of tokens) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: lists }),
    })
    const text = await response.text()
    found.push(...[...text.matchAll(/Cursor":"([^"]+)"/g)].map(([, cursor]) => cursor ?? ''))
  }
  return [...new Set(found)]
}
