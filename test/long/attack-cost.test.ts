import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Attack, attacks, introspection } from '../attacks/attacks.ts'
import { publishKey } from '../auth/published-keys.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { hostileTokens } from '../support/hostile-tokens.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { createSigner, type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

let identity: Identity
let services: ServiceIssuer
let gateway: GatewayUnderTest
let ada: Person
let token: string
let tokens: Readonly<Record<string, string>>

beforeAll(async () => {
  identity = await startIdentity()
  services = await startServiceIssuer()
  ada = await identity.signUp('Ada')
  token = await ada.jwt()
  for (let index = 0; index < 5; index++)
    await identity.createOrganization(ada, `Organization ${index}`)
  await identity.sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'copy-' || i, 'Copy ' || i, 'copy' || i || '@example.com', true, now(), now()
     from generate_series(1, 95) i`,
  )
  await identity.sql(
    `insert into members (id, organization_id, user_id, role, created_at)
     select o.id || '-' || i, o.id, 'copy-' || (o.n * 19 + i), 'member', now()
     from (select id, row_number() over () - 1 n from organizations) o, generate_series(1, 19) i`,
  )
  const trusted = await createSigner('EdDSA', 'trusted')
  await publishKey(identity, trusted)
  const { issuer } = identity.betterAuth
  tokens = await hostileTokens({
    trusted,
    issuer,
    audience: issuer,
    userId: ada.id,
    attackerUrl: 'http://127.0.0.1:9',
    services,
  })
  gateway = gatewayFor(identity, {
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
  })
})

afterAll(async () => {
  await gateway?.close()
  await services?.stop()
  await identity?.stop()
})

const usual =
  '{ viewer { id name organizations(first: 5) { nodes { id name slug members(first: 20) { nodes { roles user { id name } } } } } } }'

const json = (query: string) => () => ({ body: JSON.stringify({ query }) })

const WARM_UP = 10
const TIMES = 25

/** CPU time of this process for one answer, in milliseconds; waiting for the database does not count. */
async function cost({ request }: Pick<Attack, 'request'>, bearer = token): Promise<number> {
  const ask = async (time: number) => {
    const { method = 'POST', search = '', headers, body } = request(time)
    const answer = await gateway.fetch(
      new Request(`http://gateway/graphql${search}`, {
        method,
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${bearer}`,
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      }),
    )
    await answer.text()
  }
  for (let time = 0; time < WARM_UP; time++) await ask(time)
  const begun = process.cpuUsage()
  for (let time = WARM_UP; time < WARM_UP + TIMES; time++) await ask(time)
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / TIMES / 1000
}

test('no attack costs much more CPU than a usual request', { timeout: 600_000 }, async () => {
  const { data } = await gateway.graphql(usual, { token })
  expect(data.viewer.organizations.nodes).toHaveLength(5)
  for (const { members } of data.viewer.organizations.nodes) expect(members.nodes).toHaveLength(20)

  const before = await cost({ request: json(usual) })
  const costs = new Map<string, number>()
  for (const attack of attacks) costs.set(attack.name, await cost(attack))
  for (const [name, hostile] of Object.entries(tokens))
    costs.set(`token: ${name}`, await cost({ request: json(usual) }, hostile))
  const whole = await cost({ request: json(introspection) })
  const usualCost = (before + (await cost({ request: json(usual) }))) / 2

  const lines = [...costs]
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${ms.toFixed(2).padStart(8)}  ${(ms / usualCost).toFixed(2)}  ${name}`)
  process.stdout.write(
    `CPU ms a request, and as a share of a usual one (${usualCost.toFixed(2)} ms; all of introspection ${whole.toFixed(2)} ms):\n${lines.join('\n')}\n`,
  )
  // The dearest are documents and lists of a hundred kilobytes, which cost up to twice as much before they are refused.
  // Measured on a machine that does other things as well, hence three times.
  for (const [name, ms] of costs) expect(ms, name).toBeLessThan(usualCost * 3)
})
