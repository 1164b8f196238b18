import { writeFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { toJson, toText } from '../../src/doctor/print.ts'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { createProject } from '../introspection/project.ts'
import { createDatabase } from '../support/database.ts'
import { grantsOf } from '../support/grants.ts'
import { layout } from '../support/layout.ts'
import { createSigner, startJwksServer } from '../support/tokens.ts'
import { world } from '../support/world.ts'

const { identity, sql, ada, bob, acme } = await world({ own: true })
const folder = await createProject()

afterAll(() => folder.remove())

function report(environment: Readonly<Record<string, string>> = {}) {
  return examine({
    DATABASE_URL: identity.readOnlyUrl,
    AUTH_ISSUER: identity.betterAuth.issuer,
    NODE_ENV: 'production',
    ...environment,
  })
}

async function found(check: string, environment: Readonly<Record<string, string>> = {}) {
  const { findings } = await report(environment)
  return findings.filter((finding) => finding.check === check)
}

const levels = async (check: string, environment: Readonly<Record<string, string>> = {}) =>
  (await found(check, environment)).map(({ level, message }) => `${level}: ${message}`)

describe('uniqueness', () => {
  test('is left to the database, and is an error where that is not told of it', async () => {
    expect(await levels('uniqueness')).toEqual([])
    await sql('alter table organizations drop constraint if exists organizations_slug_key')
    await sql('drop index if exists organizations_slug_key')
    const [finding, ...others] = await found('uniqueness')
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      level: 'error',
      message: expect.stringContaining('two rows of "organizations" from having one "slug"'),
    })
    await sql('create index on organizations (slug)')
    await sql('create unique index partly on organizations (slug) where slug is not null')
    expect(await found('uniqueness')).toHaveLength(1)
    await sql(finding?.sql ?? '')
    expect(await levels('uniqueness')).toEqual([])
  })

  test('addresses in capitals are counted', async () => {
    await sql('update users set email = upper(email) where id = $1', [bob.id])
    expect(await levels('uniqueness')).toEqual([expect.stringMatching(/^warning: 1 addresses/)])
    await sql('update users set email = lower(email)')
  })
})

describe('keys', () => {
  test('an empty table is an error', async () => {
    await sql('delete from jwks')
    expect(await levels('keys')).toEqual([expect.stringMatching(/^error: The jwks table has no/)])
  })

  test('their number and algorithms, and when the last one expires', async () => {
    await ada.jwt()
    expect(await levels('keys')).toEqual(['info: Keys in the jwks table: 1 (EdDSA).'])
    await sql(`update jwks set expires_at = now() + interval '1 hour'`)
    expect(await levels('keys')).toContainEqual(
      expect.stringMatching(/^info: The last key .*expires at/),
    )
    await sql(`update jwks set expires_at = now() - interval '1 hour'`)
    expect(await levels('keys')).toContainEqual(
      expect.stringMatching(/^warning: The last key .*expired at/),
    )
    await sql('update jwks set expires_at = null')
  })

  test('of no accepted algorithm are an error', async () => {
    expect(await levels('keys', { AUTH_ALGORITHMS: 'RS256' })).toEqual([
      expect.stringMatching(/^error: No key .*\(EdDSA\): add it to AUTH_ALGORITHMS/),
    ])
  })

  test('of a URL are fetched, and a URL without keys is an error', async () => {
    const { publicJwk } = await createSigner()
    const server = await startJwksServer(publicJwk)
    expect(await levels('keys', { AUTH_JWKS: server.url })).toEqual([
      'info: Keys in AUTH_JWKS: 1 (EdDSA).',
    ])
    server.keys = [publicJwk, { ...(await createSigner('RS256')).publicJwk, e: 'AQ' }]
    expect(await levels('keys', { AUTH_JWKS: server.url })).toEqual([
      'info: Keys in AUTH_JWKS: 2 (EdDSA, RS256).',
      expect.stringMatching(
        /^error: The key "key-RS256" in AUTH_JWKS is refused: its exponent is 1/,
      ),
    ])
    server.status = 404
    expect(await levels('keys', { AUTH_JWKS: server.url })).toEqual([
      expect.stringMatching(/^error: No key set can be read from AUTH_JWKS/),
    ])
    await server.stop()
  })
})

describe('sessions', () => {
  const on = { AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: 'secret' }

  test('are not looked at when they are no credentials', async () => {
    expect(await found('sessions')).toEqual([])
  })

  test.each([
    'drop function identity_gateway_session_user(text)',
    'revoke execute on function identity_gateway_session_user(text) from ROLE',
    'grant execute on function identity_gateway_session_user(text) to public',
    'grant execute on function identity_gateway_session_user(text) to pg_monitor with grant option',
    'alter function identity_gateway_session_user(text) security invoker',
  ])('%s is found, and mended by the SQL of the finding', async (change) => {
    expect(await levels('sessions', on)).toEqual([
      expect.stringMatching(/^info: Sessions can be looked up\. That no row/),
    ])
    await sql(change.replace('ROLE', new URL(identity.readOnlyUrl).username))
    const [finding] = await found('sessions', on)
    expect(finding?.level).toBe('error')
    await sql(finding?.sql ?? '')
    expect(await levels('sessions', on)).toEqual([
      expect.stringMatching(/^info: Sessions can be looked up\. That no row/),
    ])
  })
})

test('whoever else may ask for the user of a session is named', async () => {
  const on = { AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: 'secret' }
  await identity.sql('grant execute on function identity_gateway_session_user(text) to pg_monitor')
  const [finding] = await found('sessions', on)
  expect(finding?.message).toMatch(/whose session a token is: pg_monitor\.$/)
  await identity.sql(finding?.sql ?? '')
})

describe('triggers', () => {
  const on = { PERMISSION_EVENTS: 'postgres' }

  test('are wanted when they are counted on, each of them, and enabled', async () => {
    expect(await found('triggers')).toEqual([])
    const [finding] = await found('triggers', on)
    expect(finding).toMatchObject({ level: 'error' })
    await sql(finding?.sql ?? '')
    expect(await levels('triggers', on)).toEqual([expect.stringMatching(/^info: /)])
    await sql('alter table users disable trigger identity_gateway_delete')
    expect(await levels('triggers', on)).toEqual([
      expect.stringMatching(/^error: .*: "identity_gateway_delete" on "users"\.$/),
    ])
  })

  test('over views are wanted on the tables under them', async () => {
    const tables = Object.values(layout).flatMap((table) => table?.name ?? [])
    await sql('create schema under; create schema seen')
    for (const table of tables) {
      await sql(`create view under.${table} as select * from public.${table}`)
      await sql(`create view seen.${table} as select * from under.${table}`)
    }
    const role = new URL(identity.readOnlyUrl).username
    for (const grant of grantsOf(layout, { role, schema: 'seen' })) await sql(grant)
    const views = { ...on, DATABASE_SCHEMA: 'seen' }
    await sql(triggerStatements(layout, 'public').join(';'))
    expect(await levels('triggers', views)).toEqual([expect.stringMatching(/^info: /)])
    await sql('drop trigger identity_gateway_delete on members')
    const findings = await found('triggers', views)
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('"members" is a view, which has no such triggers'),
    ])
    expect(findings[0]?.message).toContain('the tables under it (members), ')
    expect(findings[0]).not.toHaveProperty('sql')
    await sql('drop schema seen cascade; drop schema under cascade')
  })

  test('that are not heard where the gateway listens are an error', async () => {
    const other = await createDatabase('empty')
    const elsewhere = await levels('triggers', { ...on, DATABASE_LISTEN_URL: other.url })
    expect(elsewhere).toContainEqual(
      expect.stringMatching(/^error: .*does not arrive within a second.*set DATABASE_LISTEN_URL/),
    )
    await other.drop()
    const away = Object.assign(new URL(identity.readOnlyUrl), { port: '1' }).href
    expect(await levels('triggers', { ...on, DATABASE_LISTEN_URL: away })).toContainEqual(
      'error: Nothing listens at 127.0.0.1:1: check DATABASE_LISTEN_URL.',
    )
  })
})

describe('roles', () => {
  const access = async (content: string) => {
    await writeFile(folder.schemaPath, content)
    return { ACCESS_CONTROL_FILE: folder.schemaPath }
  }

  test('are compared with those that members hold', async () => {
    await sql('delete from members')
    expect(await levels('access-control')).toEqual([expect.stringMatching(/^info: Nobody is/)])
    await identity.addMember(acme, ada, 'owner')
    await identity.addMember(acme, bob, 'approver', 'member')
    expect(await levels('access-control')).toEqual([
      expect.stringMatching(/^warning: .*Better Auth's default roles does not.*: "approver"\.$/),
      'info: Roles that no member holds: "admin".',
      'info: Roles that are defined: "owner", "admin", "member".',
    ])
  })

  test('that match nobody are an error, and so is a file that is malformed', async () => {
    const nobody = await access('{ "roles": { "boss": { "leave": ["approve"] } } }')
    expect(await levels('access-control', nobody)).toEqual([
      expect.stringMatching(/^error: No member holds a role of ACCESS_CONTROL_FILE \("boss"\)/),
    ])
    const malformed = await access('{ "roles": { "boss": ["leave:approve"] } }')
    expect(await levels('access-control', malformed)).toEqual([
      expect.stringMatching(/^error: ACCESS_CONTROL_FILE: .*malformed/),
    ])
  })

  test('of the database count when dynamic access control is on', async () => {
    await sql(
      `insert into organization_roles (id, organization_id, role, permission) values ('1', $1, 'approver', '{}')`,
      [acme.id],
    )
    expect(await levels('access-control', { DYNAMIC_ACCESS_CONTROL: 'on' })).not.toContainEqual(
      expect.stringMatching(/^warning/),
    )
  })
})

describe('the report', () => {
  test('is healthy without an error, whatever it warns of, and carries the SQL of a role', async () => {
    await ada.jwt()
    const healthy = await report()
    expect(healthy.findings.some(({ level }) => level === 'warning')).toBe(true)
    expect(healthy.healthy).toBe(true)
    expect(healthy.roleSql).toContain('create role "identity_gateway"')
    expect(JSON.parse(toJson(healthy))).toEqual(healthy)
    const text = toText(healthy)
    for (const { message, sql = '' } of healthy.findings) {
      expect(text).toContain(message)
      for (const line of sql.split('\n')) expect(text).toContain(line)
    }
    expect(text).toContain(`0 errors, `)
  })

  test('names every problem of the configuration', async () => {
    const { healthy, findings } = await examine({
      NODE_ENV: 'production',
      PORT: 'http',
      DATABASE_URL: identity.readOnlyUrl,
    })
    expect(healthy).toBe(false)
    expect(findings.map(({ check, message }) => `${check} ${message.split(':')[0]}`)).toEqual([
      'configuration AUTH_ISSUER',
      'configuration PORT',
    ])
  })

  test('warns of variables that look misspelt, whether the rest can be read or not', async () => {
    const warning = 'LIMT_DEPTH: is not a variable of the gateway; did you mean LIMIT_DEPTH?'
    expect(await levels('configuration', { LIMT_DEPTH: '3' })).toEqual([`warning: ${warning}`])
    const { findings } = await examine({
      NODE_ENV: 'production',
      DATABSE_URL: 'x',
      AUTH_ISSUER: 'https://a.example.com',
    })
    expect(findings).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringMatching(/^DATABASE_URL/) }),
      expect.objectContaining({ level: 'warning', message: expect.stringMatching(/^DATABSE_URL/) }),
    ])
  })

  test('finds no secret worth repeating', async () => {
    const { findings } = await report({ REDIS_URL: 'redis://user:hunter2@127.0.0.1:1' })
    const text = JSON.stringify(findings)
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain(new URL(identity.readOnlyUrl).password)
  })
})
