import type { BetterAuthPlugin } from 'better-auth'
import type { OpenAdapter } from './adapters/adapter.ts'
import { openDrizzle } from './adapters/drizzle.ts'
import { openPrisma } from './adapters/prisma.ts'
import type { Naming } from './better-auth.ts'
import type { Library } from './library.ts'
import {
  camelCase,
  custom,
  drizzle,
  drizzlePlural,
  mixed,
  pluralSnakeCase,
  renamedTables,
} from './namings.ts'

/** How one database comes to be, and what introspection is told of it. */
export interface Case {
  readonly naming: Naming
  /** Another version of Better Auth than this project installs. */
  readonly library?: Library
  /** Laid next to those that every case has. */
  readonly plugins?: readonly BetterAuthPlugin[]
  readonly organizations?: false
  /** Teams and roles in the database are switched on once there are tables for organizations. */
  readonly inSteps?: boolean
  /** The PostgreSQL schema of the tables (`public`). */
  readonly schema?: string
  readonly uuid?: true
  /** Ids are made up by Better Auth, which trusts nobody to guess these. */
  readonly randomIds?: true
  /** Ids are numbers that PostgreSQL gives out. */
  readonly serial?: true
  /** Better Auth calls everything as by default, and Kysely's plug-in translates it. */
  readonly camelCasePlugin?: true
  /** What makes the tables and writes to them in place of Kysely. */
  readonly adapter?: OpenAdapter
  /** SQL after Better Auth has made the tables, and after it has filled them. */
  readonly altered?: string
  readonly aged?: string
  /** Of every session that does not say otherwise. */
  readonly timeZone?: string
  readonly told?: 'overrides' | 'auth'
}

export const house: Case = { naming: pluralSnakeCase }

/** Dates as Drizzle and Prisma declare them. */
export const datesOf = (type: string) => `
  do $$ declare it record; begin
    for it in select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type = 'timestamp with time zone' loop
      execute format('alter table %I alter %I type ${type} using %2$I at time zone ''UTC''', it.table_name, it.column_name);
    end loop;
  end $$`

/** Indexes on fields came with 1.4, columns of keys and teams with 1.4 and 1.7. */
const asBefore14 = `
  do $$ declare it record; begin
    for it in select indexrelid::regclass as name from pg_index join pg_class on oid = indrelid
      where relnamespace = 'public'::regnamespace and not indisunique loop
      execute format('drop index %s', it.name);
    end loop;
  end $$;
  alter table jwks drop alg, drop crv, drop "expiresAt";
  alter table team drop "updatedAt", drop "memberCount";
  alter table "teamMember" drop "membershipKey"`

const withOtherTypes = `
  create extension citext;
  create type member_role as enum ('owner', 'admin,approver', 'member', 'member,clerk', 'auditor');
  create type status as enum ('pending', 'accepted', 'rejected', 'canceled');
  alter table users alter email type citext, alter name type varchar(200), alter username type citext;
  alter table invitations alter email type citext, alter status type status using status::status;
  alter table members alter role type member_role using role::member_role;
  alter table organizations alter metadata type jsonb using metadata::jsonb, alter slug type varchar(80);
  alter table sessions alter user_agent type varchar(500)`

/** Ids are counted over all tables, as those of the other layouts are. */
const countedTogether = `
  create sequence ids;
  do $$ declare it record; begin
    for it in select table_name from information_schema.columns
      where table_schema = 'public' and column_name = 'id' loop
      execute format('alter table %I alter id drop identity, alter id set default nextval(''ids'')', it.table_name);
    end loop;
  end $$;`

const asBigint = (columns: string) => `
  do $$ declare it record; begin
    for it in select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type = 'integer' and column_name ~ '${columns}' loop
      execute format('alter table %I alter %I type bigint', it.table_name, it.column_name);
    end loop;
  end $$;`

/** What points to people is text, and so are organizations; what points to these is not. */
const someAsText = `
  do $$ declare it record; begin
    for it in select conrelid::regclass as name, conname from pg_constraint where contype = 'f' loop
      execute format('alter table %s drop constraint %I', it.name, it.conname);
    end loop;
    for it in select table_name, column_name from information_schema.columns
      where table_schema = 'public' and (column_name in ('user_id', 'inviter_id', 'team_id')
        or (table_name, column_name) in (('organizations', 'id'), ('invitations', 'organization_id'))) loop
      execute format('alter table %I alter %I type text', it.table_name, it.column_name);
    end loop;
  end $$;`

export const cases: Readonly<Record<string, Case>> = {
  "Kysely's default": { naming: camelCase },
  "Drizzle's default": { naming: drizzle, altered: datesOf('timestamp') },
  "Drizzle's usePlural": { naming: drizzlePlural, altered: datesOf('timestamp') },
  "Prisma's": { naming: camelCase, altered: datesOf('timestamp(3)') },
  "Drizzle's adapter": { naming: camelCase, uuid: true, adapter: openDrizzle },
  "Prisma's adapter": { naming: camelCase, uuid: true, adapter: openPrisma },
  "Kysely's CamelCasePlugin": { naming: drizzle, camelCasePlugin: true },
  'tables renamed, plug-in fields not': { naming: mixed },
  'renamed tables, known by their columns': { naming: renamedTables },
  'everything renamed, told by overrides': { naming: custom, told: 'overrides' },
  'everything renamed, told by Better Auth': { naming: custom, told: 'auth' },
  'another PostgreSQL schema': { naming: camelCase, schema: 'Auth Tables' },
  'UUIDs as ids': { naming: pluralSnakeCase, uuid: true },
  'integers as ids': { naming: pluralSnakeCase, serial: true, altered: countedTogether },
  'bigint as ids': {
    naming: camelCase,
    serial: true,
    altered: countedTogether + asBigint('(id|Id)$'),
  },
  'bigint as ids, to which integers lead': {
    naming: pluralSnakeCase,
    serial: true,
    altered: countedTogether + asBigint('^id$'),
  },
  'integers as some ids': {
    naming: pluralSnakeCase,
    serial: true,
    altered: countedTogether,
    aged: someAsText,
  },
  'from before 1.4, without indexes': { naming: camelCase, aged: asBefore14 },
  'without the organization plug-in': { naming: pluralSnakeCase, organizations: false },
  'citext, varchar, enum and JSON columns': { naming: pluralSnakeCase, aged: withOtherTypes },
}
