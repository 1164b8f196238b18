import { afterAll, beforeAll, expect, test } from 'vitest'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { ownerScript } from '../../src/layout/owner-sql.ts'
import type { Database as Client } from '../../src/postgres/client.ts'
import { describeDrift, findDrift } from '../../src/postgres/drift.ts'
import { openHouse } from '../support/client.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { layout } from '../support/layout.ts'

let database: Database
let client: Client
let url: string
let role: string
const owner = 'sessions_owner_of_row_security'

beforeAll(async () => {
  database = await createDatabase()
  url = await createReadOnlyRole(database.url, layout)
  role = new URL(url).username
  client = openHouse({ url })
  await asSuperuser(`create role ${owner}`)
  await database.sql(`grant create on schema public to ${owner}`)
})

afterAll(async () => {
  await client.close()
  await database.drop()
  await asSuperuser(`drop role ${role}`)
  await asSuperuser(`drop role ${owner}`)
})

const problem = async () => describeDrift(await findDrift(client, layout, { schema: 'public' }))
const hidden = (table: string) =>
  `row-level security shows the role "${role}" no row of the table "${table}": let the owner of the tables run the SQL that the command doctor --sql prints.`

async function found(environment: Readonly<Record<string, string>> = {}) {
  const { findings } = await examine({
    DATABASE_URL: url,
    AUTH_ISSUER: 'https://auth.example.com',
    ...environment,
  })
  return findings.filter(({ check }) => check === 'row-security' || check === 'layout')
}

test.each([
  ['no policy at all', ''],
  [
    'a policy for whoever the application says is asking',
    'create policy own on users using (id = current_user)',
  ],
  [
    'a policy that lets others read',
    'create policy others on users for select to postgres using (true)',
  ],
  [
    'a policy about writing',
    `create policy writes on users for insert to public with check (true)`,
  ],
  [
    'a restriction of everybody beside a policy that shows every row',
    `create policy all_rows on users using (true); create policy own on users as restrictive using (id = current_user)`,
  ],
])('%s hides every row, which is no empty table', async (_, policies) => {
  await database.sql(`alter table users enable row level security; ${policies}`)
  expect(await problem()).toBe(hidden('users'))
  const findings = await found()
  expect(findings).toContainEqual({
    check: 'layout',
    level: 'error',
    message: hidden('users').replace('row', 'Row'),
    sql: expect.stringContaining('create policy'),
  })
  await dropPolicies()
})

test('the printed SQL lets the role read every row, again and again, and changes no policy of that name', async () => {
  await database.sql(
    'insert into jwks (id, public_key, private_key, created_at) values (1, 2, 3, now())',
  )
  await database.sql('alter table jwks enable row level security')
  expect(await client.models.jwks.count()).toBe(0)
  const script = ownerScript(layout, { role, schema: 'public' })
  await database.sql(script)
  await database.sql(script)
  expect(await problem()).toBeNull()
  expect(await client.models.jwks.count()).toBe(1)
  expect(await found()).not.toContainEqual(expect.objectContaining({ level: 'error' }))
  await database.sql(`alter policy "${role} reads" on jwks using (id = 'another')`)
  await database.sql(script)
  expect(await client.models.jwks.count()).toBe(0)
  await dropPolicies()
})

test('a condition of a policy that names the role was meant, and doctor tells of it', async () => {
  await database.sql('alter table users enable row level security')
  await database.sql(
    `create policy tenant on users for select to ${role} using (name <> 'of another tenant')`,
  )
  expect(await problem()).toBeNull()
  expect(await found()).toContainEqual({
    check: 'row-security',
    level: 'warning',
    message: expect.stringMatching(/only some rows of the table "users"/),
  })
  await dropPolicies()
})

test('a function that sees no session itself is an error while sessions count, and its SQL mends it', async () => {
  await database.sql(ownerScript(layout, { role, schema: 'public' }))
  await database.sql(`alter table sessions owner to ${owner};
    alter function identity_gateway_session_user(text) owner to ${owner};
    alter table sessions enable row level security; alter table sessions force row level security;
    create policy reads on sessions for select to ${role} using (true)`)
  const sessions = {
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: 'a secret of at least thirty-two characters',
  }
  expect((await found()).filter(({ level }) => level === 'error')).toEqual([])
  const [finding] = (await found(sessions)).filter(({ level }) => level === 'error')
  expect(finding?.message).toContain(`hides sessions from the role "${owner}"`)
  await database.sql(finding?.sql ?? '')
  expect((await found(sessions)).filter(({ level }) => level === 'error')).toEqual([])
})

async function dropPolicies() {
  await database.sql(`do $$ declare it record; begin
    for it in select * from pg_policies loop execute format('drop policy %I on %I', it.policyname, it.tablename); end loop;
  end $$;
  alter table users disable row level security; alter table jwks disable row level security`)
}
