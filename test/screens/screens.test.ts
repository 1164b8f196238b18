import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, validate } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { matrixWorld } from '../graph/matrix/world.ts'
import { pointsOf, schema } from '../support/cost.ts'
import type { Person } from '../support/identity.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

/*
 * The screens of a usual application, each one request (the .graphql files beside this one): what they answer, that fifty
 * rows take as many statements as five, what they cost, and that docs/screens.md shows them as they are.
 */

const folder = import.meta.dirname
const screens = readScreens(folder)
/** Of databases that have the tables of further plug-ins. */
const ofPlugIns = readScreens(join(folder, 'plug-ins'))

/** Operations by the names of their files. */
function readScreens(from: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(from)
      .filter((name) => name.endsWith('.graphql'))
      .map((name) => [name.replace('.graphql', ''), readFileSync(join(from, name), 'utf8')]),
  )
}

const SIZES = [5, 50] as const
/** Of the 10,000 that a request may cost. */
const FAR_INSIDE = 6_667

const { gatewayWith, identity, services, sql, ada, bob, root, rita, ivy, ines, acme } = await world(
  { own: true },
)
const gateway = gatewayWith({
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: identity.betterAuth.secret,
})
/** Who owns an organization of so many people and belongs to so many. */
const owners: Readonly<Record<number, Person>> = { 5: rita, 50: ines }

async function fill(size: number, { id: owner }: Person): Promise<void> {
  const make = (text: string, ...more: unknown[]) => sql(text, [size, owner, ...more])
  await make(
    `insert into organizations (id, name, slug, created_at)
     select 'o' || $1::int || '-' || i, 'Organization ' || i, 'organization-' || $1::int || '-' || i, now()
     from generate_series(1, $1::int) i where $2::text is not null`,
  )
  await make(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'own' || $1::int || '-' || i, 'o' || $1::int || '-' || i, $2, case i when 1 then 'owner' else 'member,approver' end, now()
     from generate_series(1, $1::int) i
     union all select 'm' || $1::int || '-' || i, 'o' || $1::int || '-1', 'u' || i, 'member', now() from generate_series(1, $1::int) i`,
  )
  await make(
    `insert into teams (id, organization_id, name, member_count, created_at)
     select 't' || $1::int || '-' || i, 'o' || $1::int || '-1', 'Team ' || i, 0, now() from generate_series(1, 3) i where $2::text is not null`,
  )
  await make(
    `insert into team_members (id, team_id, user_id, membership_key, created_at)
     select 'tm' || $1::int || '-' || i || '-' || t, 't' || $1::int || '-' || t, case i when 0 then $2 else 'u' || i end, $1::int || '-' || i || '-' || t, now()
     from generate_series(0, $1::int) i, generate_series(1, 2) t`,
  )
  await make(
    `insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id, team_id)
     select 'i' || $1::int || '-' || i, 'o' || $1::int || '-1', 'i' || i || '@example.com', 'member', 'pending',
       now() + (i - 2) * interval '1 hour', now(), $2, 't' || $1::int || '-1,t' || $1::int || '-3'
     from generate_series(1, $1::int) i`,
  )
  await make(
    `insert into sessions (id, user_id, token, expires_at, created_at, updated_at)
     select 's' || $1::int || '-' || i, $2, 's' || $1::int || '-' || i, now() + interval '1 day', now(), now()
     from generate_series(1, $1::int) i`,
  )
  await make(
    `update sessions set active_organization_id = 'o' || $1::int || '-1', active_team_id = 't' || $1::int || '-1', impersonated_by = 'u1'
     where user_id = $2`,
  )
}

beforeAll(async () => {
  await sql(
    `insert into users (id, name, email, email_verified, created_at, updated_at, banned, ban_expires)
     select 'u' || i, 'Person ' || i || ' Kulkarni', 'u' || i || '@harbor.example', true, now(), now(), i < 3,
       case i when 1 then '2020-01-01'::timestamptz end from generate_series(1, 60) i`,
  )
  for (const size of SIZES) await fill(size, owners[size] as Person)
  await sql("update users set role = 'admin,support' where id = $1", [root.id])
  await sql('update users set email_verified = true where id = $1', [ivy.id])
  // The signing keys are read by the first requests, and whether addresses are indexed is asked once a minute.
  for (const token of [await ada.jwt(), await services.token(), ines.session])
    await gateway.graphql(`{ viewer { id } userByEmail(email: "${ada.email}") { id } }`, { token })
})

/** Asks one of the screens. */
function ask(name: string, token: string, variables: Readonly<Record<string, unknown>> = {}) {
  return gateway.graphql(screens[name] ?? '', { token, variables })
}

const TIMES = 3

async function countStatements(work: () => Promise<void>): Promise<number> {
  return (await recordStatements(identity.database.name, work)).length
}

/** What it asks in a request that succeeds, for each size. */
async function statementsOf(
  name: string,
  token: (size: number) => string | Promise<string>,
  variables: (size: number) => Readonly<Record<string, unknown>> = () => ({}),
) {
  const counts: number[] = []
  const answers: Awaited<ReturnType<typeof ask>>[] = []
  for (const size of SIZES) {
    const sent = await token(size)
    const taken: number[] = []
    // On a busy machine, what is asked at one moment may be read in two.
    for (let time = 0; time < TIMES; time++)
      taken.push(
        await countStatements(async () => {
          const answer = await ask(name, sent, variables(size))
          expect(answer.errors).toEqual([])
          if (time === 0) answers.push(answer)
        }),
      )
    counts.push(Math.min(...taken))
    expect(pointsOf(screens[name] ?? '', variables(size))).toBeLessThan(FAR_INSIDE)
  }
  // An organization that a list has brought is not read again, which depends on what comes first.
  const [few = 0, many = 0] = counts
  expect(Math.abs(many - few)).toBeLessThanOrEqual(name === 'switcher' ? 1 : 0)
  return { statements: Math.max(few, many), of: answers.map(({ data }) => data) }
}

const sessionOf = (size: number) => owners[size]?.session ?? ''

test('the switcher shows organizations by name, and the one that is active in this session', async () => {
  const { statements, of } = await statementsOf('switcher', sessionOf)
  expect(statements).toBeLessThanOrEqual(11)
  const [few, many] = of
  expect(few.viewer.organizations.edges).toHaveLength(5)
  const names = many.viewer.organizations.edges.map(
    (edge: { node: { name: string } }) => edge.node.name,
  )
  expect(names).toHaveLength(50)
  expect(names).toEqual(names.toSorted())
  expect(many.viewerSession).toMatchObject({
    activeOrganization: { id: 'o50-1', viewerPermissions: expect.arrayContaining(['team:update']) },
    activeTeam: { name: 'Team 1' },
    impersonator: { name: 'Person 1 Kulkarni' },
  })
})

test('the members table is found by last names and addresses, sorted, with the teams of each', async () => {
  const { statements, of } = await statementsOf('members', sessionOf, (size) => ({
    organization: `o${size}-1`,
    search: 'kulk',
    first: size,
  }))
  expect(statements).toBeLessThanOrEqual(12)
  const { members, invitations } = of[1].organization
  expect(members.nodes).toHaveLength(50)
  expect(members.nodes[0]).toMatchObject({ user: { name: 'Person 1 Kulkarni' } })
  for (const { teams } of members.nodes) expect(teams).toHaveLength(2)
  expect(invitations.nodes).toHaveLength(20)
  expect(
    invitations.nodes.map(({ isExpired }: { isExpired: boolean }) => isExpired).slice(0, 4),
  ).toEqual([true, false, false, false])
  expect(invitations.nodes[0].teams).toEqual([
    { id: 't50-1', name: 'Team 1' },
    { id: 't50-3', name: 'Team 3' },
  ])
  const found = async (search: string, orderBy?: object) => {
    const variables = { organization: 'o5-1', search, ...(orderBy && { orderBy }) }
    const { data } = await ask('members', sessionOf(5), variables)
    return data.organization.members.nodes.map(
      ({ user }: { user: { email: string } }) => user.email,
    )
  }
  expect(await found('@harbor')).toHaveLength(5)
  expect(await found('U3@HARB')).toEqual(['u3@harbor.example'])
  expect(await found('harbor', { field: 'USER_EMAIL', direction: 'DESC' })).toEqual(
    [5, 4, 3, 2, 1].map((i) => `u${i}@harbor.example`),
  )
})

test('the security page marks the current session', async () => {
  const { statements, of } = await statementsOf('security', sessionOf)
  expect(statements).toBeLessThanOrEqual(7)
  for (const { viewer } of of) {
    const current = viewer.sessions.nodes.filter(
      ({ isCurrent }: { isCurrent: boolean }) => isCurrent,
    )
    expect(current).toHaveLength(1)
    expect(viewer.hasPassword).toBe(true)
  }
})

test('150 gates are one question', async () => {
  const checks = (size: number) =>
    Array.from({ length: size }, (_, i) =>
      ['leave:approve', 'leave:request', 'report:read'].map((permission) => ({
        permission,
        organizationId: `o${size}-${i + 1}`,
      })),
    ).flat()
  const { statements, of } = await statementsOf(
    'gates',
    (size) => owners[size]?.jwt() ?? '',
    (size) => ({ checks: checks(size) }),
  )
  expect(statements).toBeLessThanOrEqual(1)
  expect(of[1].checkPermissions).toHaveLength(150)
  expect(of[1].checkPermissions[149]).toEqual({
    organizationId: 'o50-50',
    permission: 'report:read',
    allowed: false,
  })
  expect(of[1].checkPermissions[147].allowed).toBe(true)
})

test('a platform admin lists users with roles and bans as they are now', async () => {
  const { statements, of } = await statementsOf(
    'users',
    () => root.jwt(),
    (size) => ({ search: 'kulk', first: size }),
  )
  expect(statements).toBeLessThanOrEqual(4)
  const { nodes, totalCount } = of[1].users
  expect(totalCount).toBe(60)
  const bans = Object.fromEntries(
    nodes.map(({ id, isBanned }: { id: string; isBanned: boolean }) => [id, isBanned]),
  )
  expect(bans).toMatchObject({ u1: false, u2: true, u3: false })
  const { data } = await ask('users', await root.jwt(), { search: root.name })
  expect(data.users.nodes).toMatchObject([{ roles: ['admin', 'support'] }])
  const refused = await gateway.graphql('{ users { nodes { organizations { totalCount } } } }', {
    token: await root.jwt(),
  })
  expect(refused.errors[0]?.extensions.code).toBe('FORBIDDEN')
})

test('a team is a page of its own', async () => {
  const { statements, of } = await statementsOf(
    'team',
    () => ines.jwt(),
    (size) => ({ team: 't50-1', first: size }),
  )
  expect(statements).toBeLessThanOrEqual(7)
  expect(of[1].team).toMatchObject({
    memberCount: 51,
    organization: { id: 'o50-1', viewerCan: true },
    members: { pageInfo: { hasNextPage: true } },
  })
  const { data } = await ask('team', await bob.jwt(), { team: 't50-1' })
  expect(data.team).toBeNull()
})

describe('the page behind an invitation', () => {
  const { api } = identity.betterAuth.auth
  const open = async ({ jwt }: Person, id: string) => {
    const { data, errors } = await ask('invitation', await jwt(), { invitation: id })
    expect(errors).toEqual([])
    return data.invitation
  }

  test('is there for whoever was invited, whatever became of it', async () => {
    const body = { organizationId: acme.id, email: ivy.email, role: 'member' as const }
    const { id } = await api.createInvitation({ body, headers: ada.headers })
    expect(await open(ivy, id)).toMatchObject({
      status: 'PENDING',
      isExpired: false,
      organizationName: 'Acme',
      organization: null,
      teams: null,
      inviter: { name: ada.name },
    })
    await sql("update invitations set expires_at = '2020-01-01' where id = $1", [id])
    expect(await open(ivy, id)).toMatchObject({ status: 'PENDING', isExpired: true })
    await api.cancelInvitation({ body: { invitationId: id }, headers: ada.headers })
    expect(await open(ivy, id)).toMatchObject({ status: 'CANCELED', isExpired: false })
    const { id: next } = await api.createInvitation({ body, headers: ada.headers })
    await api.acceptInvitation({ body: { invitationId: next }, headers: ivy.headers })
    expect(await open(ivy, next)).toMatchObject({
      status: 'ACCEPTED',
      organization: { id: acme.id },
      teams: [],
    })
    expect(await open(bob, next)).toBeNull()
    await sql('update users set email_verified = false where id = $1', [ivy.id])
    expect(await open(ivy, id)).toBeNull()
    await sql('update users set email_verified = true where id = $1', [ivy.id])
  })
})

test('the inbox of another service keeps nulls in their places', async () => {
  const { statements, of } = await statementsOf(
    'approvals',
    (size) => owners[size]?.jwt() ?? '',
    (size) => ({
      requesters: [...Array.from({ length: size }, (_, i) => `u${i + 1}`), 'nobody'],
      organizations: Array.from({ length: size }, (_, i) => `o${size}-${i + 1}`),
      permission: 'leave:approve',
    }),
  )
  expect(statements).toBeLessThanOrEqual(4)
  expect(of[1].usersByIds).toHaveLength(51)
  expect(of[1].usersByIds[50]).toBeNull()
  expect(
    of[1].organizationsByIds.map(({ viewerCan }: { viewerCan: boolean }) => viewerCan),
  ).toEqual(Array.from({ length: 50 }, () => true))
})

test('what plug-ins keep is one request as well', async () => {
  const matrix = await matrixWorld()
  const query = ofPlugIns.security ?? ''
  expect(validate(matrix.schema, parse(query))).toEqual([])
  const { data, errors } = await matrix.gateway.graphql(query, {
    token: await matrix.tokens.themself(),
  })
  expect(errors).toEqual([])
  expect(data.viewer).toMatchObject({
    passkeys: [{ name: 'Laptop' }],
    apiKeys: [{ name: 'Payroll' }],
    connectedApps: [{ scopes: ['openid', 'identity:read'] }],
  })
})

test('look-ups of many by address, slug and membership are in order, with null in place', async () => {
  const { data, errors } = await gateway.graphql(
    `{ usersByEmails(emails: ["U2@harbor.example", "nobody@example.com", "u1@harbor.example"]) { id }
       organizationsBySlugs(slugs: ["organization-5-2", "nowhere"]) { id }
       membersByIds(ids: ["m5-3", "nobody"]) { user { id } } }`,
    { token: await services.token() },
  )
  expect(errors).toEqual([])
  expect(data).toEqual({
    usersByEmails: [{ id: 'u2' }, null, { id: 'u1' }],
    organizationsBySlugs: [{ id: 'o5-2' }, null],
    membersByIds: [{ user: { id: 'u3' } }, null],
  })
})

test('docs/screens.md shows them all, with what they cost at their largest', () => {
  const page = readFileSync(join(folder, '../../docs/screens.md'), 'utf8')
  for (const text of [...Object.values(screens), ...Object.values(ofPlugIns)])
    expect(page).toContain(`\`\`\`graphql\n${text.replace(/^(#.*\n)+/, '')}\`\`\``)
  for (const [name, text] of Object.entries(screens))
    expect(validate(schema, parse(text)), name).toEqual([])
  const table = Object.entries(screens).map(
    ([name, text]) =>
      `| [${name}](#${name}) | ${pointsOf(text, largest[name]).toLocaleString('en-US')} |`,
  )
  if (process.env.FIGURES) process.stdout.write(`${table.join('\n')}\n`)
  expect(page).toContain(table.join('\n'))
})

/** Variables that a screen of fifty rows has. */
const largest: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  members: { search: 'kulk' },
  users: { search: 'kulk' },
  gates: { checks: Array.from({ length: 150 }, () => ({})) },
  approvals: {
    requesters: Array.from({ length: 50 }, () => ''),
    organizations: Array.from({ length: 50 }, () => ''),
  },
}
