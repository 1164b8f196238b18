import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { type Serving, startServing } from '../support/cli.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { type Asking, answer, asking, environmentOf, gatewayOver } from './layouts/answers.ts'
import { type Case, datesOf, house } from './layouts/cases.ts'
import { drizzle } from './layouts/namings.ts'
import { type Prepared, prepare } from './layouts/prepare.ts'

// What Better Auth answers in a process that runs in UTC is what dates are measured by.
process.env.TZ = 'UTC'

let services: ServiceIssuer
let expected: Readonly<Record<string, unknown>>
let prepared: Prepared
let serving: Serving
let asker: Asking

beforeAll(async () => {
  services = await startServiceIssuer()
  const inUtc = await prepare(house)
  const gateway = gatewayOver(inUtc, services)
  expected = await answer(await asking(inUtc, gateway, services), () => true)
  await gateway.close()
  await inUtc.stop()
})
afterAll(() => services.stop())

const timeZone = 'America/New_York'
const zoned: Readonly<Record<string, Case>> = {
  timestamptz: { ...house, timeZone },
  timestamp: { naming: drizzle, altered: datesOf('timestamp'), timeZone },
}

describe.each(Object.entries(zoned))('%s', (_, it) => {
  beforeAll(async () => {
    prepared = await prepare(it)
    const file = join(dirname(prepared.project.schemaPath), 'access-control.json')
    await writeFile(file, JSON.stringify(accessControl))
    const environment = { ...environmentOf(prepared, services), ACCESS_CONTROL_FILE: file }
    serving = await startServing({ ...environment, TZ: 'Asia/Tokyo' })
    asker = await asking(prepared, { graphql: overHttp }, services)
  })
  afterAll(async () => {
    await serving.signal('SIGTERM')
    await prepared.stop()
  })

  test('the zones are what this test is about', async () => {
    expect(await prepared.database.sql('show timezone')).toEqual([{ TimeZone: timeZone }])
  })

  test('every answer is as it is in UTC, to the microsecond', async () => {
    const answers = await answer(asker, () => true)
    for (const [name, given] of Object.entries(answers))
      expect({ [name]: given }).toEqual({ [name]: expected[name] })
  })

  test("every date equals Better Auth's own", async () => {
    const { auth, world } = prepared
    const as = (name: string) => ({ headers: world.headers[name] ?? new Headers() })
    const organizationId = world.ids.Acme ?? ''
    const query = { organizationId }
    const teamId = world.ids.Blue ?? ''
    const [users, organizations, members, invitations, teams, teamMembers, sessions, accounts] =
      await Promise.all([
        auth.api.listUsers({ query: { sortBy: 'createdAt' }, ...as('Ada') }),
        auth.api.listOrganizations(as('Ada')),
        auth.api.listMembers({ query, ...as('Ada') }),
        auth.api.listInvitations({ query, ...as('Ada') }),
        auth.api.listOrganizationTeams({ query, ...as('Ada') }),
        auth.api.listTeamMembers({ query: { teamId }, ...as('Ada') }),
        auth.api.listSessions(as('Ada')),
        auth.api.listUserAccounts(as('Ada')),
      ])
    const theirs = {
      users: users.users,
      organizations,
      members: members.members,
      invitations,
      teams,
      teamMembers,
      sessions,
      accounts,
    }
    const { data } = await overHttp(
      `query ($id: ID!) {
        users(first: 100) { nodes { id createdAt updatedAt banExpires } }
        viewer {
          organizations(first: 100) { nodes { id createdAt } }
          sessions(first: 100) { nodes { id createdAt updatedAt expiresAt } }
          accounts { id createdAt updatedAt }
        }
        organization(id: $id) {
          members(first: 100) { nodes { id createdAt } }
          invitations(first: 100) { nodes { id createdAt expiresAt } }
          teams(first: 20) { nodes { id createdAt members(first: 20) { nodes { id createdAt } } } }
        }
      }`,
      { token: asker.tokens.Ada, variables: { id: organizationId } },
    )
    const { viewer, organization } = data
    const ours: Record<keyof typeof theirs, Dated[]> = {
      users: data.users.nodes,
      organizations: viewer.organizations.nodes,
      members: organization.members.nodes,
      invitations: organization.invitations.nodes,
      teams: organization.teams.nodes.map(({ members: _, ...team }: Dated) => team),
      teamMembers: organization.teams.nodes.find(({ id }: Dated) => id === teamId).members.nodes,
      sessions: viewer.sessions.nodes,
      accounts: viewer.accounts,
    }
    for (const what of Object.keys(theirs) as (keyof typeof theirs)[]) {
      expect([what, ours[what].length]).not.toEqual([what, 0])
      const fields = Object.keys(ours[what][0] ?? {})
      const own = JSON.parse(JSON.stringify(theirs[what])) as Dated[]
      const picked = own.map((row) =>
        Object.fromEntries(fields.map((field) => [field, row[field] ?? null])),
      )
      expect([what, byId(ours[what])]).toEqual([what, byId(picked as unknown as Dated[])])
    }
  })

  test('a session that has run out is nobody’s, for the function too', async () => {
    const { database, world } = prepared
    const [token = ''] = (world.sessions.Bob ?? '').split('.')
    const ask = `select identity_gateway_session_user($1) as "userId"`
    expect(await database.sql(ask, [world.expired])).toEqual([{ userId: null }])
    expect(await database.sql(ask, [token])).toEqual([{ userId: world.ids.Bob }])
  })
})

type Dated = { readonly id: string; readonly [field: string]: unknown }

function byId(rows: readonly Dated[]): readonly Dated[] {
  return [...rows].sort((one, other) => one.id.localeCompare(other.id))
}

const overHttp: Asking['gateway']['graphql'] = async (query, { token, variables } = {}) => {
  const response = await fetch(`${serving.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors = [] } = (await response.json()) as Pick<
    Awaited<ReturnType<Asking['gateway']['graphql']>>,
    'data' | 'errors'
  >
  return { status: response.status, headers: response.headers, data, errors }
}
