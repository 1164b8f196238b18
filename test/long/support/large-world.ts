import type { Database } from '../../support/database.ts'

/** What large databases need beside Better Auth's own indexes. */
const indexes = [
  'members (organization_id, created_at, id)',
  'members (organization_id, user_id)',
  'users (created_at, id)',
  'users (name, id)',
  'users (email, id)',
  'users (lower(name) text_pattern_ops)',
  'users (lower(email) text_pattern_ops)',
  'users (lower(username) text_pattern_ops)',
  'organizations (created_at, id)',
  'organizations (name, id)',
]

/** Tables as they are after years, with the indexes that README.md names. */
export async function fillLarge(database: Database): Promise<void> {
  await fill(database)
  for (const index of indexes) await database.sql(`create index on ${index}`)
  for (const table of ['users', 'organizations', 'members', 'invitations', 'sessions'])
    await database.sql(`vacuum analyze ${table}`)
}

/** One organization with 100,000 members, one user in a thousand organizations; others to make a million members. */
async function fill(database: Database): Promise<void> {
  for (const statement of [
    `insert into users (id, name, email, email_verified, username, created_at, updated_at)
     select 'u' || i, 'Person ' || md5(i::text), 'p' || i || '@example.com', true, 'n' || md5(i::text),
       '2020-01-01'::timestamptz + i * interval '1 minute', now() from generate_series(1, 100000) i`,
    `insert into organizations (id, name, slug, created_at)
     select 'o' || i, 'Organization ' || md5(i::text), 'o' || i,
       '2020-01-01'::timestamptz + i * interval '1 minute' from generate_series(0, 2000) i`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'big' || i, 'o0', 'u' || i, 'member', '2020-01-01'::timestamptz + i * interval '1 minute'
     from generate_series(1, 100000) i
     union all
     select 'small' || i, 'o' || (i % 2000 + 1), 'u' || (i * 7 % 99000 + 1001), 'member',
       '2020-01-01'::timestamptz + i * interval '1 minute' from generate_series(1, 99000) i
     union all
     select 'wide' || i, 'o' || i, 'u1', 'member', now() from generate_series(1, 1000) i`,
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
     from generate_series(1, 100000) i`,
    `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
     select 's' || i, 'u' || (i % 20000 + 1), 's' || i, now() + interval '1 day', now(), now()
     from generate_series(1, 100000) i`,
  ])
    await database.sql(statement)
}
