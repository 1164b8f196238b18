import type { BetterAuthOptions } from 'better-auth'
import { allPlugins } from '../../introspection/migrate.ts'
import type { poolers } from '../../support/pooler-imitation.ts'
import { datesOf } from '../layouts/cases.ts'

export interface Case {
  /** How the database comes to be; without, people have signed up in the house layout. */
  readonly migrated?: BetterAuthOptions | 'empty'
  /** What the owner does to it then. */
  readonly sql?: string
  readonly schema?: string
  readonly overrides?: object
  /** Further parameters of the URL. */
  readonly parameters?: string
  readonly pooler?: (typeof poolers)[number] | 'Supavisor'
  /** As the role that the printed SQL makes, rather than as the owner. */
  readonly reads?: true
  /** What introspect ends with. */
  readonly refused?: RegExp
}

const tables = [
  ...['users', 'sessions', 'accounts', 'organizations', 'members', 'invitations'],
  ...['teams', 'team_members', 'organization_roles', 'jwks'],
]
const each = (statement: (name: string) => string) => tables.map(statement).join(';')
const misspelt = { schema: 'pubic', refused: /User: the PostgreSQL schema "public" has a table/ }
const secondTable = 'create table "user" (like users including all)'

/** Layouts, settings and ways in that other tests are about; the looking at each is what this is about. */
export const cases: Readonly<Record<string, Case>> = {
  'the house layout': {},
  'what the printed SQL makes': { reads: true },
  'the layout of Better Auth itself': { migrated: { plugins: allPlugins } },
  'UUIDs as ids': {
    migrated: { plugins: allPlugins, advanced: { database: { generateId: 'uuid' } } },
  },
  'integers as ids': {
    migrated: { plugins: allPlugins, advanced: { database: { generateId: 'serial' } } },
  },
  'an empty database': { migrated: 'empty', refused: /User: no table fits/ },
  'tables of somebody else': {
    migrated: 'empty',
    sql: 'create table products (id text primary key, name text)',
    refused: /User: no table fits/,
  },
  'a schema that does not exist': misspelt,
  'a schema that does not exist, and a URL that asks to write': {
    ...misspelt,
    parameters: 'options=-c%20default_transaction_read_only%3Doff',
  },
  'a schema that does not exist, and a role that asks to write': {
    ...misspelt,
    sql: `do $$ begin execute format('alter database %I set default_transaction_read_only = off', current_database()); end $$`,
  },
  'a schema that does not exist, behind a pooler that drops settings': {
    ...misspelt,
    pooler: 'Supavisor',
  },
  'a pooler that drops settings': { pooler: 'Supavisor' },
  'a pooler that refuses settings': { pooler: 'RDS Proxy' },
  'NULL where Better Auth has none': {
    sql: `alter table users alter name drop not null, alter email drop not null, alter email_verified drop not null;
      alter table organizations alter slug drop not null; alter table members alter user_id drop not null;
      update organizations set slug = null`,
  },
  'roles as a list in JSON': {
    sql: `alter table members alter role type jsonb using to_jsonb(string_to_array(role, ','))`,
  },
  'roles as an array of an enumeration': {
    sql: `create type held as enum ('owner', 'member', 'approver');
      alter table members alter role type held[] using string_to_array(role, ',')::held[]`,
  },
  'other types': {
    sql: `create domain address as text check (value like '%@%'); alter table users alter email type address;
      alter table sessions alter ip_address type inet using null;
      alter table users alter banned type smallint using 0, alter ban_expires type bigint using null, alter image type bytea using null;
      alter table organizations alter metadata type jsonb using metadata::jsonb;
      alter table invitations alter expires_at type date`,
  },
  'a type that tells who may do what': {
    sql: 'alter table users alter banned type text using null',
    refused: /User\.banned: .* must be boolean/,
  },
  'citext, and times without a zone': {
    sql: `create extension citext; alter table users alter email type citext; ${datesOf('timestamp(3)')}`,
  },
  'columns of an older version': {
    sql: `alter table invitations drop created_at; alter table teams drop updated_at;
      alter table organization_roles drop updated_at; alter table jwks drop alg, drop crv, drop expires_at`,
  },
  'few plug-ins': {
    sql: 'drop table team_members, teams, organization_roles; alter table users drop username, drop is_anonymous',
  },
  'users alone': {
    sql: `drop table ${tables.filter((name) => name !== 'users').join(', ')}`,
  },
  'renamed tables': {
    sql: `alter table users rename to people; alter table jwks rename to jwkss;
      alter table members rename to "Tenant People"`,
  },
  'names that are told': {
    sql: `alter table users rename to user_temp; alter table user_temp add "createdAt" text`,
    overrides: { User: { table: 'user_temp', columns: { createdAt: 'created_at' } } },
  },
  'a column that is missing': {
    sql: 'alter table users drop email_verified',
    refused: /has no column for emailVerified/,
  },
  'a column that is there twice': {
    sql: 'alter table users add "emailVerified" boolean',
    refused: /has a double/,
  },
  'two tables that fit': { sql: secondTable, refused: /"user", "users" all fit/ },
  'tables and constraints of other applications': {
    sql: `create schema billing; create table billing.plans (id text primary key);
      create table subscriptions (id text primary key, plan text references billing.plans, seats int check (seats > 0));
      create view admins as select * from users where role = 'admin'; create index on users (email) where banned;
      create materialized view counted as select count(*) from users; alter table users add deleted_at timestamptz`,
  },
  'another schema': {
    sql: 'alter schema public rename to auth; create schema public',
    schema: 'auth',
  },
  'views in place of tables': {
    sql: `create schema seen; ${each((name) => `create view seen.${name} as select * from public.${name}`)}`,
    schema: 'seen',
  },
  'materialized views': {
    sql: `create schema seen; ${each((name) => `create materialized view seen.${name} as select * from public.${name}`)}`,
    schema: 'seen',
    refused: /a kind that is not introspected/,
  },
  'partitions, and tables without a key': {
    sql: `create schema parts;
      create table parts.users (like public.users including defaults) partition by hash (id);
      create table parts.users_one partition of parts.users for values with (modulus 1, remainder 0);
      insert into parts.users select * from public.users;
      create table parts.jwks as select * from public.jwks; alter table parts.jwks alter id set not null;
      create table parts.accounts as select * from public.accounts; create table parts.sessions as select * from public.sessions`,
    schema: 'parts',
  },
  'tables in two schemas': {
    sql: `create schema auth; ${['users', 'sessions', 'accounts', 'jwks'].map((name) => `alter table ${name} set schema auth`).join(';')}`,
    schema: 'auth',
  },
  'row-level security that hides everything': {
    sql: `${each((name) => `alter table ${name} enable row level security; alter table ${name} force row level security`)}`,
  },
  'addresses and slugs of two': {
    sql: `alter table users drop constraint users_email_key; update users set email = upper(email);
      alter table organizations drop constraint organizations_slug_key; update organizations set slug = 'same'`,
  },
}
