import { definitionOf } from '../../../src/doctor/checks/indexes.ts'
import { neededIndexes } from '../../../src/doctor/index-list.ts'
import type { Database } from '../../support/database.ts'
import { layout } from '../../support/layout.ts'

/** Tables as they are after years, with the indexes that `doctor` asks for. */
export async function fillLarge(database: Database): Promise<void> {
  // What points to what is right, and looking it up a million times takes longer than everything else.
  await database.sql(`set session_replication_role = replica; ${fill.join('; ')}; reset all`)
  for (const needed of neededIndexes) {
    const table = layout[needed.model]
    const definition = table && definitionOf(needed, table)
    const isBetterAuths = needed.kind === 'equal' && needed.fields.length === 1
    if (definition && !isBetterAuths)
      await database.sql(`create index on ${table.name} ${definition}`)
  }
  await database.sql('vacuum analyze')
}

/**
 * A million members: one organization with 100,000, one user in a thousand organizations, and others of usual size. What
 * is rare comes first, in the middle and last; what nobody sees any more is there in masses.
 */
const fill = [
  `insert into users (id, name, email, email_verified, username, role, banned, created_at, updated_at)
   select 'u' || i, 'Person ' || md5(i::text), 'p' || i || '@example.com', true, 'n' || md5(i::text),
     case when i in (1, 50000, 99999) then 'admin' else 'user' end, i in (2, 50001, 99998),
     '2020-01-01'::timestamptz + i * interval '1 minute', now() from generate_series(1, 100000) i`,
  `insert into organizations (id, name, slug, created_at)
   select 'o' || i, 'Organization ' || md5(i::text), 'o' || i,
     '2020-01-01'::timestamptz + i * interval '1 minute' from generate_series(0, 2000) i`,
  `insert into members (id, organization_id, user_id, role, created_at)
   select 'big' || i, 'o0', 'u' || i,
     case when i in (3, 50002, 99997) then 'owner' when i > 99000 then 'editor,member' else 'member' end,
     '2020-01-01'::timestamptz + i * interval '1 minute'
   from generate_series(1, 100000) i
   union all
   select 'small' || i, 'o' || (i % 2000 + 1), 'u' || (i * 7 % 99000 + 1001), 'member',
     '2020-01-01'::timestamptz + i * interval '1 minute' from generate_series(1, 99000) i
   union all
   select 'wide' || i, 'o' || i, 'u1', 'member', '2024-01-01'::timestamptz + i * interval '1 minute'
   from generate_series(1, 1000) i`,
  `insert into users (id, name, email, email_verified, created_at, updated_at)
   select 'v' || i, 'Other ' || md5(i::text), 'q' || i || '@example.com', true,
     '2021-01-01'::timestamptz + i * interval '1 minute', now() from generate_series(0, 79999) i`,
  `insert into organizations (id, name, slug, created_at)
   select 'x' || i, 'X ' || md5(i::text), 'x' || i,
     '2021-01-01'::timestamptz + i * interval '1 minute' from generate_series(0, 15999) i`,
  `insert into members (id, organization_id, user_id, role, created_at)
   select 'x' || i, 'x' || i / 50, 'v' || (i::bigint * 7919 + i / 80000) % 80000, 'member',
     '2021-01-01'::timestamptz + i * interval '1 second' from generate_series(0, 799999) i`,
  `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
   select 'i' || i, 'o' || (i % 2000), 'p' || (i % 20000) || '@example.com', 'member', 'pending', now(), now(), 'u1'
   from generate_series(1, 100000) i
   union all
   select 'a' || i, 'o0', 'q' || i || '@example.com', 'member', 'accepted', now(),
     '2020-01-01'::timestamptz + i * interval '1 minute', 'u1' from generate_series(1, 50000) i`,
  `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
   select 's' || i, 'u' || (i % 20000 + 1), 's' || i, now() + interval '1 day', now(), now()
   from generate_series(1, 100000) i
   union all
   select 'ended' || i, 'u1', 'ended' || i, now() - interval '1 day', now() - interval '1 week', now()
   from generate_series(1, 50000) i`,
  `insert into teams (id, organization_id, name, member_count, created_at)
   select 't' || i, 'o' || case when i < 20000 then 0 else i % 2000 end, 'Team ' || i, 0,
     '2020-01-01'::timestamptz + i * interval '1 minute' from generate_series(0, 29999) i`,
  `insert into team_members (id, team_id, user_id, membership_key, created_at)
   select 'tm' || i, 't' || case when i <= 50000 then 0 else i % 20000 end, 'u' || i, i::text,
     case when i % 100 > 0 then '2020-01-01'::timestamptz + i * interval '1 minute' end
   from generate_series(1, 100000) i`,
]
