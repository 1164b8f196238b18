import { readFile, writeFile } from 'node:fs/promises'
import { Kind, parse, print, visit } from 'graphql'
import { describe, expect, test } from 'vitest'
import { loadNames, printGraph, readLayout } from '../../src/gateway.ts'
import type { Layout } from '../../src/layout/layout.ts'
import { createPluginRepositories } from '../../src/postgres/plugins/repositories.ts'
import { Tables } from '../../src/postgres/tables.ts'
import { acceptingKeys, createKeys } from '../support/api-keys.ts'
import { layout } from '../support/layout.ts'
import { createApp } from '../support/oauth.ts'
import { findSecret } from '../support/planted.ts'
import { createPluginTables } from '../support/plugin-tables.ts'
import { world } from '../support/world.ts'

/* What each kind of caller is shown of these, field by field, says graph/matrix.test.ts. */

const own = await world({ own: true })
const { gateway: without, gatewayWith, identity, sql, ada, bob, carol, acme } = own
const giveKey = await createKeys(identity)
const { environment: ofApps } = await createApp(identity)
const fill = await createPluginTables(identity)
const environment = { ...ofApps, ...(await acceptingKeys(identity)) }
await fill(ada, acme)
const gateway = gatewayWith(environment)
const instant = '2020-01-31T09:30:00.000Z'

const passkeys = 'passkeys { id name deviceType backedUp createdAt aaguid }'
const keys = `apiKeys { id configId name start prefix enabled expiresAt lastUsedAt remaining permissions createdAt }`
const apps = 'connectedApps { id clientId name uri icon scopes resources createdAt }'
const providers = 'ssoProviders { id providerId issuer domain domainVerified }'
const subscriptions = `subscriptions { id plan status periodStart periodEnd trialStart trialEnd cancelAtPeriodEnd cancelAt
  canceledAt endedAt seats billingInterval }`

const key = {
  configId: 'default',
  name: 'Payroll',
  start: 'acme_ab',
  prefix: 'acme_',
  enabled: true,
  expiresAt: '2126-01-31T00:00:00.000Z',
  lastUsedAt: instant,
  remaining: 3,
  permissions: { leave: ['read'] },
  createdAt: instant,
}
const subscription = {
  plan: 'team',
  status: 'active',
  periodStart: instant,
  periodEnd: instant,
  trialStart: instant,
  trialEnd: instant,
  cancelAtPeriodEnd: true,
  cancelAt: instant,
  canceledAt: instant,
  endedAt: instant,
  seats: 3,
  billingInterval: 'month',
}
const app = {
  id: 'consent',
  clientId: 'app',
  name: 'App',
  uri: 'https://app.example.com',
  icon: 'https://app.example.com/icon.png',
  scopes: ['openid', 'identity:read'],
  resources: ['https://a.example.com/x,y'],
  createdAt: instant,
}

const ofAcme = (fields: string) => `{ organization(id: "${acme.id}") { ${fields} } }`

test('what plug-ins keep for a user is what is in their tables', async () => {
  const { data, errors } = await gateway.graphql(
    `{ viewer { ${passkeys} ${keys} ${apps} ${subscriptions} } }`,
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  expect(data.viewer).toEqual({
    passkeys: [
      {
        id: 'passkey',
        name: 'Laptop',
        deviceType: 'multiDevice',
        backedUp: true,
        createdAt: instant,
        aaguid: 'adce0002-35bc-c60a-648b-0b25f1f05503',
      },
    ],
    apiKeys: [{ id: 'key', ...key }],
    connectedApps: [app],
    subscriptions: [{ id: 'own', ...subscription }],
  })
})

test('what they keep for an organization is what is in their tables', async () => {
  const { data, errors } = await gateway.graphql(ofAcme(`${keys} ${providers} ${subscriptions}`), {
    token: await ada.jwt(),
  })
  expect(errors).toEqual([])
  expect(data.organization).toEqual({
    apiKeys: [{ id: 'machine', ...key, configId: 'machines' }],
    ssoProviders: [
      {
        id: 'sso',
        providerId: 'okta',
        issuer: 'https://idp.example.com',
        domain: 'example.com',
        domainVerified: true,
      },
    ],
    subscriptions: [{ id: 'shared', ...subscription }],
  })
})

test('what directories say of a user is what is in their table', async () => {
  const query = `{ user(id: "${ada.id}") { scimUsers { id active externalId displayName } } }`
  const token = await own.services.token('identity:read identity:pii')
  expect((await gateway.told(query, { token })).data.user).toEqual({
    scimUsers: [{ id: 'scim', active: true, externalId: '00u1', displayName: 'Ada L.' }],
  })
})

test('of somebody else all lists are refused, and of whoever has nothing they are empty', async () => {
  const fields = 'passkeys { id } apiKeys { id } connectedApps { id } subscriptions { id }'
  const token = await bob.jwt()
  const empty = { passkeys: [], apiKeys: [], connectedApps: [], subscriptions: [] }
  expect((await gateway.told(`{ viewer { ${fields} } }`, { token })).data).toEqual({
    viewer: empty,
  })
  const { data, codes } = await gateway.told(`{ user(id: "${ada.id}") { ${fields} } }`, { token })
  expect(codes).toEqual(Array(4).fill('FORBIDDEN'))
  expect(Object.values(data.user)).toEqual(Array(4).fill(null))
})

test('a graph has nothing of plug-ins that its database lacks', async () => {
  const token = await ada.jwt()
  for (const field of [passkeys, keys, apps, subscriptions])
    expect((await without.told(`{ viewer { ${field} } }`, { token })).codes).toContain(
      'GRAPHQL_VALIDATION_FAILED',
    )
  expect((await without.told(ofAcme(providers), { token })).codes).toContain(
    'GRAPHQL_VALIDATION_FAILED',
  )
})

describe('in an organization', () => {
  /** Which lists Carol is shown with these roles. */
  const shown = async (...roles: string[]) => {
    await sql('update members set role = $3 where organization_id = $1 and user_id = $2', [
      acme.id,
      carol.id,
      roles.join(),
    ])
    const fields = 'apiKeys { id } ssoProviders { id } subscriptions { id }'
    const { data } = await gateway.graphql(ofAcme(fields), { token: await carol.jwt() })
    return Object.keys(data.organization).filter((name) => data.organization[name] !== null)
  }

  test('API keys are for whom the plug-in lists them for, subscriptions for creators, SSO for admins too', async () => {
    await sql(
      `insert into organization_roles (id, organization_id, role, permission)
       values ('keeper', $1, 'keeper', '{"apiKey":["read"]}'), ('maker', $1, 'maker', '{"apiKey":["create"]}')`,
      [acme.id],
    )
    expect(await shown('member')).toEqual([])
    expect(await shown('member', 'maker')).toEqual([])
    expect(await shown('member', 'keeper')).toEqual(['apiKeys'])
    expect(await shown('admin')).toEqual(['ssoProviders'])
    expect(await shown('owner')).toEqual(['apiKeys', 'ssoProviders', 'subscriptions'])
    expect(await shown('member')).toEqual([])
  })

  test('no service is shown any of it', async () => {
    const token = await own.services.token('identity:read identity:pii permissions:check')
    const fields = 'apiKeys { id } ssoProviders { id } subscriptions { id }'
    expect((await gateway.told(ofAcme(fields), { token })).codes).toEqual(
      Array(3).fill('FORBIDDEN'),
    )
  })
})

describe('API keys', () => {
  test('are users’, and organizations’ unknown, where no configuration is named', async () => {
    const { AUTH_API_KEY_ORGANIZATIONS: _, ...rest } = environment
    const untold = gatewayWith(rest)
    const token = await ada.jwt()
    const query = `{ viewer { apiKeys { id } } organization(id: "${acme.id}") { apiKeys { id } } }`
    expect(await untold.told(query, { token })).toMatchObject({
      data: { viewer: { apiKeys: [{ id: 'key' }] }, organization: { apiKeys: null } },
      codes: [],
    })
  })

  test('of an organization’s configuration are nobody’s own', async () => {
    await giveKey({ reference_id: bob.id, config_id: 'machines' })
    const { data } = await gateway.told('{ viewer { apiKeys { id } } }', { token: await bob.jwt() })
    expect(data.viewer.apiKeys).toEqual([])
  })

  test('say of `remaining` and permissions what can be said', async () => {
    await sql('alter table api_keys alter remaining type bigint')
    await giveKey({ reference_id: carol.id, remaining: 3_000_000_000, permissions: 'no JSON' })
    const asked = '{ viewer { apiKeys { remaining permissions enabled } } }'
    const { data } = await gateway.told(asked, { token: await carol.jwt() })
    expect(data.viewer.apiKeys).toEqual([
      { remaining: 2 ** 31 - 1, permissions: null, enabled: true },
    ])
    await sql('alter table api_keys alter remaining type integer using 1')
  })
})

test('where ids are numbers, nobody takes a user’s for an organization’s with the same number', async () => {
  const table = (name: string, ...fields: string[]) => ({
    name,
    columns: Object.fromEntries(
      ['id', ...fields].map((field) => [field, { name: field, type: 'integer' as const }]),
    ),
  })
  const numbered = {
    ...layout,
    User: table('users'),
    Organization: table('organizations'),
    Apikey: table('api_keys', 'referenceId'),
    Subscription: table('subscriptions', 'referenceId'),
  }
  const db = {
    tables: new Tables(numbered, 'public'),
    models: {} as never,
    lightest: () => undefined,
    read: async () => [],
  }
  const untold = createPluginRepositories(db)
  expect(await untold.apiKeys.findByUserIds(['1'])).toBeNull()
  expect(await untold.subscriptions.findByOwnerIds(['1'])).toBeNull()
  const told = createPluginRepositories(db, { organizationConfigs: ['machines'] })
  expect(await told.apiKeys.findByUserIds(['1'])).toEqual([])
  const alone = createPluginRepositories({
    ...db,
    tables: new Tables({ ...numbered, Organization: null }, 'public'),
  })
  expect(await alone.apiKeys.findByUserIds(['1'])).toEqual([])
  expect(await alone.subscriptions.findByOwnerIds(['1'])).toEqual([])
})

describe('connected apps', () => {
  const told = async () => {
    const { data } = await gatewayWith(await acceptingKeys(identity)).told(
      `{ viewer { ${apps} } }`,
      { token: await ada.jwt() },
    )
    return data.viewer.connectedApps
  }

  test('are told of by what they are known by when they have gone', async () => {
    await sql(`update oauth_consents set client_id = 'gone'`)
    expect(await told()).toEqual([{ ...app, clientId: 'gone', name: null, uri: null, icon: null }])
    await sql(`update oauth_consents set client_id = 'app', resources = null`)
    expect(await told()).toEqual([{ ...app, resources: null }])
  })

  test('have their scopes whichever way they are stored, and must have been consented to', async () => {
    const { scopes } = app
    const stored = [
      'jsonb using to_jsonb(scopes::text)',
      'text using \'["openid", "identity:read"]\'',
      "text using 'openid identity:read'",
      "text[] using array['openid', 'identity:read']",
    ]
    for (const type of stored) {
      await sql('alter table oauth_consents alter scopes drop default')
      await sql(`alter table oauth_consents alter scopes type ${type}`)
      expect((await told())[0], type).toMatchObject({ scopes })
    }
    await sql('alter table oauth_consents add consent_given boolean')
    expect(await told()).toHaveLength(1)
    await sql('update oauth_consents set consent_given = false')
    expect(await told()).toEqual([])
    await sql('update oauth_consents set consent_given = true')
    expect(await told()).toHaveLength(1)
  })
})

test('tables are known by their columns, and instants without a zone are in UTC', async () => {
  await sql(
    `alter table passkeys alter created_at type timestamp using created_at at time zone 'UTC'`,
  )
  await sql(
    `alter table subscriptions alter period_end type timestamp using period_end at time zone 'UTC'`,
  )
  const renamed = {
    passkeys: 'authenticators',
    sso_providers: 'identity providers',
    subscriptions: 'plans',
  }
  for (const [table, name] of Object.entries(renamed))
    await sql(`alter table ${table} rename to "${name}"`)
  const { data, errors } = await gatewayWith(await acceptingKeys(identity)).graphql(
    `{ viewer { passkeys { id createdAt } subscriptions { id periodEnd } }
       organization(id: "${acme.id}") { ssoProviders { id } } }`,
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  expect(data).toEqual({
    viewer: {
      passkeys: [{ id: 'passkey', createdAt: instant }],
      subscriptions: [{ id: 'own', periodEnd: instant }],
    },
    organization: { ssoProviders: [{ id: 'sso' }] },
  })
  for (const [table, name] of Object.entries(renamed))
    await sql(`alter table "${name}" rename to ${table}`)
})

test('subscriptions that are over, or were never paid for, are not shown', async () => {
  const token = await ada.jwt()
  const statuses = async (status: string) => {
    await sql('update subscriptions set status = $1', [status])
    const { data } = await gateway.told('{ viewer { subscriptions { status } } }', { token })
    return data.viewer.subscriptions.length
  }
  const all = [
    'active',
    'trialing',
    'past_due',
    'canceled',
    'incomplete',
    'incomplete_expired',
    'unpaid',
    'paused',
  ]
  const counts: number[] = []
  for (const status of all) counts.push(await statuses(status))
  expect(counts).toEqual([1, 1, 0, 0, 0, 0, 0, 0])
})

test.each([
  ['passkeys', 'public_key'],
  ['passkeys', 'credential_id'],
  ['passkeys', 'transports'],
  ['api_keys', 'metadata'],
  ['oauth_clients', 'client_secret'],
  ['oauth_consents', 'reference_id'],
  ['sso_providers', 'oidc_config'],
  ['sso_providers', 'saml_config'],
  ['scim_users', 'connection_id'],
  ['scim_users', 'user_name_key'],
  ['scim_users', 'serialized_attributes'],
  ['subscriptions', 'stripe_customer_id'],
  ['subscriptions', 'stripe_subscription_id'],
  ['subscriptions', 'stripe_schedule_id'],
])(
  'every value of %s.%s is a planted secret, which the role may not read',
  async (table, column) => {
    const rows = await sql<{ value: string }>(`select ${column} as value from ${table}`)
    expect(rows).not.toEqual([])
    for (const { value } of rows) expect(findSecret(value)).not.toBeNull()
    const role = new URL(identity.readOnlyUrl).username
    const [may] = await sql(`select has_column_privilege($1, $2, $3, 'select') as read`, [
      role,
      table,
      column,
    ])
    expect(may).toEqual({ read: false })
  },
)

test('docs/plug-ins.md shows what the graph has of them', async () => {
  const page = new URL('../../docs/plug-ins.md', import.meta.url)
  const text = await readFile(page, 'utf8')
  const written = text.replace(/```graphql\n.*?```/s, () => `\`\`\`graphql\n${additions()}\n\`\`\``)
  if (process.env.UPDATE_DOCS) await writeFile(page, written)
  expect(
    written === text || process.env.UPDATE_DOCS !== undefined,
    'It is stale: run `UPDATE_DOCS=1 npx vitest run test/graph/plugins.test.ts` and commit it.',
  ).toBe(true)
})

/** What the graph has with these tables that it lacks without, in the schema language without descriptions. */
function additions(): string {
  const bare = (of: Layout) => {
    const document = visit(parse(printGraph(of)), {
      enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined),
    })
    const types = document.definitions.filter((node) => node.kind === Kind.OBJECT_TYPE_DEFINITION)
    return new Map(types.map((type) => [type.name.value, type]))
  }
  const before = bare(layout)
  const parts = [...bare(readLayout(loadNames(environment)))].flatMap(([name, type]) => {
    const known = before.get(name)
    if (!known) return [print(type)]
    const names = known.fields?.map((field) => field.name.value)
    const fields = type.fields?.filter((field) => !names?.includes(field.name.value)) ?? []
    return fields.length > 0 ? [`extend ${print({ ...type, directives: [], fields })}`] : []
  })
  return parts.join('\n\n')
}
