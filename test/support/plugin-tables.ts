import { organizationConfig } from './api-keys.ts'
import type { Identity, Organization, Person } from './identity.ts'
import { planted } from './planted.ts'

/**
 * The tables of plug-ins that are packages of their own, but for those of `api-keys.ts` and `oauth.ts`, with which they
 * are. Better Auth itself need not have the plug-ins; `test/long/plugin-tables.test.ts` is about one that has.
 */
export async function createPluginTables({ sql }: Pick<Identity, 'sql'>) {
  await sql(tables)
  /** A row of each for both, in which no column is null that is shown. */
  return async ({ id: userId }: Pick<Person, 'id'>, { id: organizationId }: Organization) => {
    for (const statement of rowsOf(userId, organizationId)) await sql(statement)
  }
}

const tables = `
  create table passkeys (id text primary key, name text, public_key text not null,
    user_id text not null references users on delete cascade, credential_id text not null, counter integer not null,
    device_type text not null, backed_up boolean not null, transports text, created_at timestamptz, aaguid text);
  create table oauth_consents (id text primary key, client_id text not null, user_id text references users on delete cascade,
    reference_id text, resources jsonb, requested_user_info_claims jsonb, scopes jsonb not null,
    created_at timestamptz, updated_at timestamptz);
  create table sso_providers (id text primary key, issuer text not null, oidc_config text, saml_config text,
    user_id text references users on delete cascade, provider_id text not null unique, organization_id text,
    domain text not null, domain_verified boolean);
  create table scim_users (id text primary key, connection_id text not null, provisioning_domain_id text not null,
    user_id text not null references users on delete cascade, connection_user_key text, user_name text, user_name_key text,
    primary_email text, display_name text not null, serialized_attributes text, external_id text, active boolean not null,
    created_at timestamptz not null, updated_at timestamptz not null);
  create table subscriptions (id text primary key, plan text not null, reference_id text not null, stripe_customer_id text,
    stripe_subscription_id text, stripe_schedule_id text, status text not null, period_start timestamptz, period_end timestamptz,
    trial_start timestamptz, trial_end timestamptz, cancel_at_period_end boolean, cancel_at timestamptz,
    canceled_at timestamptz, ended_at timestamptz, seats integer, billing_interval text)`

const instant = "'2020-01-31T09:30:00Z'"

function rowsOf(user: string, organization: string): readonly string[] {
  return [
    `insert into passkeys values ('passkey', 'Laptop', '${planted('public_key')}', '${user}', '${planted('credential')}', 7,
      'multiDevice', true, '${planted('transports')}', ${instant}, 'adce0002-35bc-c60a-648b-0b25f1f05503')`,
    key('key', user, 'default'),
    key('machine', organization, organizationConfig),
    `insert into oauth_consents values ('consent', 'app', '${user}', '${planted('reference')}',
      '["https://a.example.com/x,y"]', null, '["openid", "identity:read"]', ${instant}, ${instant})`,
    `insert into sso_providers values ('sso', 'https://idp.example.com', '${planted('oidc')}', '${planted('saml')}',
      '${user}', 'okta', '${organization}', 'example.com', true)`,
    `insert into scim_users values ('scim', '${planted('connection')}', '${planted('domain')}', '${user}', '${planted('key')}',
      '${planted('name')}', '${planted('name_key')}', '${planted('email')}', 'Ada L.', '${planted('attributes')}', '00u1', true,
      ${instant}, ${instant})`,
    subscription('own', user),
    subscription('shared', organization),
  ]
}

function key(id: string, owner: string, config: string): string {
  return `insert into api_keys (id, key, config_id, reference_id, permissions, enabled, expires_at, remaining, name, start,
      prefix, last_request, created_at)
    values ('${id}', '${planted(id)}', '${config}', '${owner}', '{"leave":["read"]}', true, '2126-01-31', 3, 'Payroll',
      'acme_ab', 'acme_', ${instant}, ${instant})`
}

function subscription(id: string, owner: string): string {
  const four = Array(4).fill(instant).join()
  const three = Array(3).fill(instant).join()
  return `insert into subscriptions values ('${id}', 'team', '${owner}', '${planted('customer')}',
    '${planted('subscription')}', '${planted('schedule')}', 'active', ${four}, true, ${three}, 3, 'month')`
}
