import { expect, test } from 'vitest'
import { organizationConfig } from '../support/api-keys.ts'
import type { Organization, Person } from '../support/identity.ts'
import { readAnew } from '../support/oauth.ts'
import { planted } from '../support/planted.ts'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import { providerOf } from './support/oauth-provider.ts'
import { allPlugIns, listsOf } from './support/plug-ins.ts'

/*
 * What plug-ins of a real Better Auth list for somebody, and what the graph shows them. Rows are written by hand, as a
 * browser's authenticator or Stripe would have them written; what is secret in them is planted, so that no answer may hold it.
 */

const own = await world({
  own: true,
  betterAuth: {
    plugins: await allPlugIns(async (userId, organizationId) => {
      const [member] = await own.sql<{ role: string }>(
        'select role from members where user_id = $1 and organization_id = $2',
        [userId, organizationId],
      )
      return member?.role.split(',').includes('owner') ?? false
    }),
  },
})
const { gatewayWith, identity, sql, ada, bob, carol, eve, acme, evil } = own
const lists = listsOf(identity)
const provider = providerOf(identity)
const app = await provider.createApp(ada)
const gone = await provider.createApp(eve)
await sql(
  `update "oauthClient" set name = 'App', uri = 'https://app.example.com', "clientSecret" = $1`,
  [planted('client')],
)
await sql(
  `insert into organization_roles (id, organization_id, role, permission)
   select role || id, id, role, permission from organizations,
     (values ('keeper', '{"apiKey":["read"]}'), ('maker', '{"apiKey":["create"]}')) as own (role, permission)`,
)
const gateway = gatewayWith({
  ...(await readAnew(identity)),
  AUTH_API_KEYS: 'on',
  AUTH_API_KEY_ORGANIZATIONS: organizationConfig,
})

const people = [ada, bob, carol, eve]
const organizations = [acme, evil]
const random = randomFrom(2020)
const one = <Item>(items: readonly [Item, ...Item[]]): Item => random.one(items) ?? items[0]
const instant = () =>
  one([null, new Date(Date.UTC(2026, random.between(0, 11), random.between(1, 28)))])
const flag = () => one([null, true, false])

type Values = Readonly<Record<string, unknown>>

async function insert(table: string, values: Values): Promise<void> {
  const names = Object.keys(values)
  await sql(
    `insert into "${table}" (${names.map((name) => `"${name}"`).join()})
     values (${names.map((_, index) => `$${index + 1}`).join()})`,
    Object.values(values),
  )
}

let made = 0
const id = () => `row${++made}`

/** Another row of each table, perhaps. */
const rows: Readonly<Record<string, () => Values>> = {
  passkey: () => ({
    id: id(),
    userId: one([ada, bob, carol, eve]).id,
    name: one([null, 'Laptop', 'Phone']),
    publicKey: planted('public'),
    credentialID: planted('credential'),
    counter: 1,
    deviceType: one(['singleDevice', 'multiDevice']),
    backedUp: random.chance(0.5),
    transports: planted('transports'),
    createdAt: instant(),
    aaguid: one([null, 'adce0002-35bc-c60a-648b-0b25f1f05503']),
  }),
  apikey: () => ({
    id: id(),
    configId: one(['default', organizationConfig, 'unknown']),
    referenceId: one<Person | Organization>([ada, bob, carol, eve, acme, evil]).id,
    name: one([null, 'Payroll']),
    start: one([null, 'acme_a']),
    prefix: one([null, 'acme_']),
    key: planted('key'),
    enabled: random.chance(0.7),
    // Those that have expired are deleted when anybody asks.
    expiresAt: one([null, new Date('2126-01-31')]),
    lastRequest: instant(),
    remaining: one([null, 0, 7]),
    permissions: one([null, '{"leave":["read"]}']),
    metadata: JSON.stringify({ note: planted('metadata') }),
    createdAt: instant() ?? new Date('2026-01-31'),
    updatedAt: new Date('2026-01-31'),
  }),
  oauthConsent: () => ({
    id: id(),
    clientId: one([app, gone]).client_id,
    userId: one([ada, bob, carol, eve]).id,
    scopes: JSON.stringify(random.some(['openid', 'identity:read', 'identity:pii'], 2)),
    resources: one([null, JSON.stringify(['https://identity.example.com/a,b c'])]),
    referenceId: planted('reference'),
    createdAt: instant() ?? new Date('2026-01-31'),
    updatedAt: new Date('2026-01-31'),
  }),
  ssoProvider: () => ({
    id: id(),
    providerId: id(),
    issuer: 'https://idp.example.com',
    domain: one(['example.com', 'example.org']),
    domainVerified: random.chance(0.5),
    organizationId: one([acme.id, evil.id, null]),
    userId: one([ada, bob, carol, eve]).id,
    oidcConfig: JSON.stringify({ clientId: planted('client'), clientSecret: planted('oidc') }),
  }),
  subscription: () => ({
    id: id(),
    plan: one(['team', 'pro']),
    referenceId: one<Person | Organization>([ada, bob, carol, eve, acme, evil]).id,
    stripeCustomerId: planted('customer'),
    stripeSubscriptionId: planted('subscription'),
    status: one(['active', 'trialing', 'canceled', 'incomplete', 'past_due']),
    periodStart: instant(),
    periodEnd: instant(),
    trialStart: instant(),
    trialEnd: instant(),
    cancelAtPeriodEnd: flag(),
    cancelAt: instant(),
    canceledAt: instant(),
    endedAt: instant(),
    seats: one([null, 1, 50]),
    billingInterval: one([null, 'month', 'year']),
  }),
}

/** Everybody has other rows and other roles, or is in no organization. */
async function nextState(): Promise<void> {
  for (const [table, make] of Object.entries(rows)) {
    await sql(`delete from "${table}"`)
    for (let left = random.between(2, 6); left > 0; left--) await insert(table, make())
  }
  await sql('delete from members')
  for (const person of people)
    for (const organization of organizations) {
      const role = one([
        null,
        'member',
        'admin',
        'owner',
        'keeper',
        'member,maker',
        'member,keeper',
        'approver',
      ])
      if (role !== null)
        await insert('members', {
          id: id(),
          organization_id: organization.id,
          user_id: person.id,
          role,
          created_at: new Date(),
        })
    }
}

const fields = {
  passkeys: 'id name deviceType backedUp createdAt aaguid',
  apiKeys:
    'id configId name start prefix enabled expiresAt lastUsedAt remaining permissions createdAt',
  connectedApps: 'id clientId scopes resources createdAt',
  ssoProviders: 'providerId issuer domain domainVerified',
  subscriptions: `id plan status periodStart periodEnd trialStart trialEnd cancelAtPeriodEnd cancelAt canceledAt
    endedAt seats billingInterval`,
} as const
type List = keyof typeof fields
const select = (...names: List[]) => names.map((name) => `${name} { ${fields[name]} }`).join(' ')

/** Those of the columns that the graph shows, under its names, in an order that has nothing to do with either. */
function shown(list: List, found: readonly Values[] | null): readonly Values[] | null {
  const names = fields[list].split(/\s+/)
  const picked = found?.map((row) =>
    Object.fromEntries(
      names.map((name) => [name, row[name === 'lastUsedAt' ? 'lastRequest' : name] ?? null]),
    ),
  )
  return picked ? inOrder(picked) : null
}

function inOrder(found: readonly Values[]): readonly Values[] {
  const key = ({ id, providerId }: Values) => String(id ?? providerId)
  return found.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

test('in 200 random states the graph shows of each list what its plug-in lists', {
  timeout: 900_000,
}, async () => {
  const seen: Record<string, number> = {}
  const compare = (
    state: number,
    what: string,
    list: List,
    graph: readonly Values[] | null,
    listed: readonly Values[] | null,
  ) => {
    expect([state, what, graph && inOrder(graph)]).toEqual([state, what, shown(list, listed)])
    const outcome = listed === null ? 'refused' : listed.length === 0 ? 'empty' : 'rows'
    seen[`${what}: ${outcome}`] = (seen[`${what}: ${outcome}`] ?? 0) + 1
  }
  for (let state = 0; state < 200; state++) {
    await nextState()
    const person = one([ada, bob, carol, eve])
    const token = await person.jwt()
    const ofUser = select('passkeys', 'apiKeys', 'connectedApps', 'subscriptions')
    const ofOrganizations = organizations.map(
      ({ id }, index) =>
        `o${index}: organization(id: "${id}") { ${select('apiKeys', 'ssoProviders', 'subscriptions')} }`,
    )
    const { data } = await gateway.graphql(
      `{ viewer { ${ofUser} } ${ofOrganizations.join(' ')} }`,
      {
        token,
      },
    )
    const { passkeys, apiKeys, connectedApps, subscriptions } = data.viewer
    compare(state, 'passkeys', 'passkeys', passkeys, await lists.passkeys(person))
    compare(state, 'keys of a user', 'apiKeys', apiKeys, await lists.apiKeys(person))
    compare(state, 'consents', 'connectedApps', connectedApps, await lists.consents(person))
    compare(
      state,
      'subscriptions of a user',
      'subscriptions',
      subscriptions,
      await lists.subscriptions(person),
    )
    const providers = await lists.providers(person)
    for (const [index, { id }] of organizations.entries()) {
      const found = data[`o${index}`]
      const keys = await lists.apiKeys(person, id)
      compare(state, 'keys of an organization', 'apiKeys', found?.apiKeys ?? null, keys)
      const paid = await lists.subscriptions(person, id)
      compare(
        state,
        'subscriptions of an organization',
        'subscriptions',
        found?.subscriptions ?? null,
        paid,
      )
      // Whom the plug-in refuses it shows an empty list.
      const listed = providers.filter(({ organizationId }) => organizationId === id)
      compare(state, 'SSO', 'ssoProviders', found?.ssoProviders ?? [], listed)
    }
    const other = one([ada, bob, carol, eve])
    if (other !== person) {
      const asked = `{ user(id: "${person.id}") { ${ofUser} } }`
      const { user } = (await gateway.graphql(asked, { token: await other.jwt() })).data
      expect([null, ...Object.values(user ?? {})]).toEqual(Array(user ? 5 : 1).fill(null))
    }
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`)
  for (const what of ['keys of an organization', 'subscriptions of an organization'])
    expect(seen[`${what}: refused`]).toBeGreaterThan(20)
  for (const what of [
    'passkeys',
    'keys of a user',
    'consents',
    'SSO',
    'subscriptions of a user',
    'keys of an organization',
    'subscriptions of an organization',
  ])
    for (const outcome of ['rows', 'empty'])
      expect(seen[`${what}: ${outcome}`], `${what}: ${outcome}`).toBeGreaterThan(10)
})

test('a consent whose app has gone is told of by what it is known by', async () => {
  await nextState()
  const token = await ada.jwt()
  const row = { ...rows.oauthConsent?.(), userId: ada.id }
  await sql('delete from "oauthConsent"')
  await insert('oauthConsent', { ...row, id: 'there', clientId: app.client_id })
  await sql('alter table "oauthConsent" drop constraint if exists "oauthConsent_clientId_fkey"')
  await insert('oauthConsent', { ...row, id: 'gone', clientId: 'gone' })
  const { data } = await gateway.graphql('{ viewer { connectedApps { clientId name uri } } }', {
    token,
  })
  expect(data.viewer.connectedApps).toHaveLength(2)
  expect(data.viewer.connectedApps).toEqual(
    expect.arrayContaining([
      { clientId: app.client_id, name: 'App', uri: 'https://app.example.com' },
      { clientId: 'gone', name: null, uri: null },
    ]),
  )
})
