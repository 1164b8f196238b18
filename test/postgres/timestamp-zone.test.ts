import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { models } from '../../src/layout/contract.ts'
import { type Layout, UTC } from '../../src/layout/layout.ts'
import { functionStatements, sessionFunction } from '../../src/layout/owner-functions.ts'
import { printLayout } from '../../src/layout/schema-file.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import type { Person } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { world } from '../support/world.ts'

/*
 * Columns of type `timestamp` that an application wrote by the clock of its own zone, as it does through most drivers
 * in a process whose TZ is not UTC.
 */

const { gatewayWith, identity, sql, services, ada, bob, carol, root, acme } = await world({
  own: true,
})
const role = new URL(identity.readOnlyUrl).username
const folder = await mkdtemp(join(tmpdir(), 'timestamp-zone-'))
const tokens = new Map<Person, string>()

beforeAll(async () => {
  for (const person of [ada, bob, carol, root]) tokens.set(person, await person.jwt())
  await sql('alter table users add hired timestamptz, add born date')
  await sql(`grant select (hired, born) on users to ${role}`)
  await sql(`update users set hired = '2026-01-31T20:00:00Z', born = '1990-05-01'`)
  await sql(
    `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
      select n::text, $1, $2, 'member', 'pending', now() + n * interval '1 hour', now() - n * interval '1 hour', $3
      from generate_series(1, 5) as n`,
    [acme.id, carol.email, ada.id],
  )
  // Over the night in which summer time begins in Berlin.
  await sql(
    `update users set created_at = '2026-03-29T00:00:00.123456Z'::timestamptz + place * interval '20 minutes'
      from (select id as of, row_number() over (order by email) as place from users) as placed where id = of`,
  )
  const users = 'update users set banned = true, ban_expires = now()'
  await sql(`${users} + interval '1 hour' where id = $1`, [bob.id])
  await sql(`${users} - interval '1 hour' where id = $1`, [carol.id])
  const sessions = 'update sessions set expires_at = now()'
  await sql(`${sessions} + interval '1 hour' where user_id = $1`, [ada.id])
  await sql(`${sessions} - interval '1 hour' where user_id = $1`, [root.id])
  await sql('update users set email_verified = true where id = $1', [carol.id])
  // Keys are good for thirty days after their end.
  await sql(`update jwks set expires_at = now() - interval '30 days' + interval '1 hour'`)
})
afterAll(() => rm(folder, { recursive: true }))

const stored = (type: 'timestamp' | 'timestamptz'): Layout => {
  const additional = (name: string) =>
    ({ name, type: 'DateTime', visibleTo: ['self'], description: name }) as const
  const further = {
    hired: { name: 'hired', type, additional: additional('hired') },
    born: { name: 'born', type: 'date', additional: additional('born') },
  } as const
  return Object.fromEntries(
    models.map((model) => {
      if (!layout[model]) return [model, null]
      const columns = Object.entries(layout[model].columns).map(([field, column]) => [
        field,
        column.type === 'timestamptz' ? { ...column, type } : column,
      ])
      const own = model === 'User' ? further : {}
      return [model, { ...layout[model], columns: { ...Object.fromEntries(columns), ...own } }]
    }),
  ) as unknown as Layout
}

/** Changes the type of every column with an instant, as an application by the clock of that zone had written it. */
async function alter(type: 'timestamp' | 'timestamptz', zone: string) {
  const other = type === 'timestamp' ? 'timestamp with time zone' : 'timestamp without time zone'
  const changes = `format('alter %1$I drop default, alter %1$I type ${type} using %1$I at time zone %2$L',
    column_name, $2::text)`
  const tables = await sql<{ statement: string }>(
    `select format('alter table %I %s', table_name, string_agg(${changes}, ', ')) as statement
      from information_schema.columns where table_schema = 'public' and data_type = $1 group by table_name`,
    [other, zone],
  )
  await sql(tables.map(({ statement }) => statement).join(';'))
}

async function open(type: 'timestamp' | 'timestamptz', zone: string) {
  const file = join(folder, 'schema.prisma')
  await writeFile(file, printLayout(stored(type)))
  const environment = {
    PRISMA_SCHEMA_FILE: file,
    DATABASE_TIMESTAMP_ZONE: zone,
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
  }
  return { gateway: gatewayWith(environment), environment }
}

async function install(type: 'timestamp' | 'timestamptz', timestampZone: string) {
  const grantee = { role, schema: 'public', timestampZone }
  for (const statement of functionStatements(sessionFunction(stored(type), grantee), grantee.role))
    await sql(statement)
}

/** Everything with an instant in it, or that depends on one. */
async function answers(gateway: GatewayUnderTest) {
  const all = 'identity:read identity:pii permissions:check'
  const service = await services.token(all)
  const ask = async (query: string, token: string | undefined, headers = {}) => {
    const { data, errors } = await gateway.graphql(query, { token, headers })
    return errors.length > 0 ? errors.map(({ extensions }) => extensions.code) : data
  }
  const pages: unknown[] = []
  for (const direction of ['ASC', 'DESC'])
    for (let after: string | null = null; ; ) {
      const { users } = await ask(
        `{ users(first: 3, orderBy: {field: CREATED_AT, direction: ${direction}}${after ? `, after: "${after}"` : ''}) {
          nodes { name createdAt banned banExpires } pageInfo { hasNextPage endCursor } } }`,
        service,
      )
      pages.push(users.nodes)
      after = users.pageInfo.endCursor
      if (!users.pageInfo.hasNextPage) break
    }
  const filters: unknown[] = []
  for (let minutes = 0; minutes < 200; minutes += 30) {
    const at = new Date(Date.parse('2026-03-29T00:00:00.123Z') + minutes * 60_000).toISOString()
    filters.push(
      await ask(
        `{ after: users(filter: {createdAfter: "${at}"}) { totalCount }
          before: users(filter: {createdBefore: "${at}"}) { totalCount } }`,
        service,
      ),
    )
  }
  const own = (token: string | undefined, headers = {}) =>
    ask(
      `{ viewer { name createdAt hired born
        accounts { createdAt updatedAt } sessions(first: 9) { nodes { createdAt updatedAt expiresAt } }
        receivedInvitations(first: 9) { nodes { createdAt expiresAt } } } }`,
      token,
      headers,
    )
  const cookie = ({ session }: Person) => ({
    cookie: `better-auth.session_token=${encodeURIComponent(session)}`,
  })
  return {
    pages,
    filters,
    ada: await own(tokens.get(ada)),
    banned: await own(tokens.get(bob)),
    noLongerBanned: await own(tokens.get(carol)),
    acme: await ask(
      `{ organization(id: "${acme.id}") { createdAt
        members(first: 9) { nodes { createdAt user { name } } }
        invitations(first: 2) { totalCount nodes { createdAt expiresAt } } } }`,
      tokens.get(ada),
    ),
    mayApprove: await ask(
      `{ member(organizationId: "${acme.id}", userId: "${bob.id}") { permissions } }`,
      service,
    ),
    liveSession: await own(undefined, cookie(ada)),
    endedSession: await own(undefined, cookie(root)),
  }
}

let expected: Awaited<ReturnType<typeof answers>>
beforeAll(async () => {
  await install('timestamptz', UTC)
  expected = await answers((await open('timestamptz', UTC)).gateway)
})

describe.each(['Asia/Seoul', 'America/New_York', 'Europe/Berlin'])('%s', (zone) => {
  beforeAll(async () => {
    await alter('timestamp', zone)
    return () => alter('timestamptz', zone)
  })

  test('every answer is as with columns that have a zone', async () => {
    await install('timestamp', zone)
    const { gateway } = await open('timestamp', zone)
    await gateway.verify()
    const given = await answers(gateway)
    expect(given).toEqual(expected)
    expect(given.ada.viewer).toMatchObject({ name: 'Ada', hired: '2026-01-31T20:00:00.000Z' })
    expect(given.ada.viewer.born).toBe('1990-05-01T00:00:00.000Z')
    expect(given.ada.viewer.sessions.nodes).toHaveLength(1)
    expect(given.banned).toEqual(['UNAUTHENTICATED'])
    expect(given.noLongerBanned.viewer.receivedInvitations.nodes).toHaveLength(5)
    expect(given.liveSession).toEqual(given.ada)
    expect(given.endedSession).toEqual({ viewer: null })
  })
})

test('a function that was made for another zone is not asked, and doctor prints the right one', async () => {
  await alter('timestamp', 'Asia/Seoul')
  await sql('drop function if exists public.identity_gateway_session_user(text)')
  await sql(`drop function if exists public."identity_gateway_session_user Asia/Seoul"(text)`)
  await install('timestamp', UTC)
  const { gateway, environment } = await open('timestamp', 'Asia/Seoul')
  const headers = { authorization: `Bearer ${root.session}` }
  const { errors } = await gateway.graphql('{ viewer { name } }', { headers })
  expect(errors[0]?.extensions.code).toBe('UNAVAILABLE')
  const settings = { DATABASE_URL: identity.readOnlyUrl, AUTH_ISSUER: 'https://auth.test' }
  const { findings } = await examine({ ...settings, ...environment })
  const found = findings.find(({ check }) => check === 'sessions')
  expect(found).toMatchObject({ level: 'error', message: expect.stringContaining('is missing') })
  await sql(found?.sql ?? '')
  const { status } = await gateway.graphql('{ viewer { name } }', { headers })
  expect(status).toBe(401)
  await alter('timestamptz', 'Asia/Seoul')
})

test('cursors lose no row that was made when no clock of the zone showed that', async () => {
  await alter('timestamp', 'Europe/Berlin')
  await sql(`update users set created_at = '2026-03-29 01:40'::timestamp + place * interval '10 minutes'
    from (select id as of, row_number() over (order by email) as place from users) as placed where id = of`)
  const { pages } = await answers((await open('timestamp', 'Europe/Berlin')).gateway)
  const names = (pages.flat() as { name: string }[]).map(({ name }) => name)
  expect(names.slice(0, 8)).toHaveLength(new Set(names).size)
  expect(names).toEqual([...names.slice(0, 8), ...names.slice(0, 8).reverse()])
})

test('doctor says by how much times are in the future', async () => {
  await sql('update users set updated_at = created_at')
  const told = async (zone: string) => {
    const { environment } = await open('timestamp', zone)
    const settings = { DATABASE_URL: identity.readOnlyUrl, AUTH_ISSUER: 'https://auth.test' }
    const { findings } = await examine({ ...settings, ...environment })
    return findings.filter(({ check }) => check === 'timestamps')
  }
  await sql(`update sessions set updated_at = now() at time zone 'UTC' + interval '9 hours'`)
  expect(await told(UTC)).toEqual([
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('about 9.0 h') }),
    expect.objectContaining({ level: 'info' }),
  ])
  expect(await told('Asia/Seoul')).toEqual([
    expect.objectContaining({ level: 'info', message: expect.stringContaining('Asia/Seoul') }),
    expect.objectContaining({ level: 'info' }),
  ])
})
