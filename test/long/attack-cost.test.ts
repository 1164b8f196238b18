import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { type Attack, attacks } from '../attacks/attacks.ts'
import { publishKey } from '../auth/published-keys.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { hostileTokens } from '../support/hostile-tokens.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { createSigner, type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

let identity: Identity
let services: ServiceIssuer
let serving: Serving
let metrics: string
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
  const port = await findFreePort()
  metrics = `http://127.0.0.1:${port}/metrics`
  serving = await startServing({
    NODE_ENV: 'production',
    METRICS_PORT: String(port),
    DATABASE_URL: identity.readOnlyUrl,
    AUTH_ISSUER: issuer,
    ...services.environment,
  })
})

afterAll(async () => {
  await serving?.signal('SIGTERM')
  await services?.stop()
  await identity?.stop()
})

const usual =
  '{ viewer { id name organizations(first: 5) { nodes { id name slug members(first: 20) { nodes { roles user { id name } } } } } } }'

const json = (query: string) => () => ({ body: JSON.stringify({ query }) })

/** So many make compiled code of what answers them. */
const WARM_UP = 200
const TIMES = 100

async function ask({ request }: Pick<Attack, 'request'>, time: number, bearer: string) {
  const { method = 'POST', search = '', headers, body } = request(time)
  const answer = await fetch(`${serving.url}/graphql${search}`, {
    method,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${bearer}`,
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  return answer.text()
}

/** Milliseconds of CPU that the gateway has taken so far. */
async function cpu(): Promise<number> {
  const text = await (await fetch(metrics)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]) * 1000
}

/** Milliseconds of CPU for one answer, one after the other; waiting for the database does not count. */
async function cost(attack: Pick<Attack, 'request'>, bearer = token): Promise<number> {
  for (let time = 0; time < WARM_UP; time++) await ask(attack, time, bearer)
  const begun = await cpu()
  for (let time = WARM_UP; time < WARM_UP + TIMES; time++) await ask(attack, time, bearer)
  return ((await cpu()) - begun) / TIMES
}

test('no attack costs more CPU than a usual request', { timeout: 600_000 }, async () => {
  const asked = { request: json(usual) }
  const { data } = JSON.parse(await ask(asked, 0, token))
  expect(data.viewer.organizations.nodes).toHaveLength(5)
  for (const { members } of data.viewer.organizations.nodes) expect(members.nodes).toHaveLength(20)

  await cost(asked)
  const before = await cost(asked)
  const costs = new Map<string, number>()
  for (const attack of attacks) costs.set(attack.name, await cost(attack))
  for (const [name, hostile] of Object.entries(tokens))
    costs.set(`token: ${name}`, await cost(asked, hostile))
  const usualCost = (before + (await cost(asked))) / 2

  const lines = [...costs]
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${ms.toFixed(2).padStart(8)}  ${(ms / usualCost).toFixed(2)}  ${name}`)
  process.stdout.write(
    `CPU ms a request, and as a share of a usual one (${usualCost.toFixed(2)} ms):\n${lines.join('\n')}\n`,
  )
  // By itself the dearest takes three quarters; beside the other tests each is weighed down differently.
  for (const [name, ms] of costs) expect(ms, name).toBeLessThan(usualCost * 1.5)
})
