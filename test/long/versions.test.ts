import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { load } from '../versions/load.ts'
import { type Asking, answer, asking, gatewayOver } from './layouts/answers.ts'
import { house } from './layouts/cases.ts'
import { libraryFrom } from './layouts/library.ts'
import { camelCase } from './layouts/namings.ts'
import { type Prepared, prepare } from './layouts/prepare.ts'
import { hasPermission, signIn, signOut } from './versions/endpoints.ts'
import { installedVersion, minor, versions } from './versions/versions.ts'

/*
 * Versions of Better Auth, for which test/versions has a package.json: each makes a database, fills it, and issues tokens
 * and sessions. A gateway answers over it what it answers over the house layout of the version that this project installs,
 * and people may do what the version itself says.
 */

// Columns without a time zone, as versions before 1.3.11 make them, hold what the writer's clock shows.
process.env.TZ = 'UTC'

let services: ServiceIssuer
let prepared: Prepared
let gateway: GatewayUnderTest
let asker: Asking
/** Of the version that this project installs. */
let expected: Readonly<Record<string, unknown>>
let strange: string

beforeAll(async () => {
  services = await startServiceIssuer()
  await open(await prepare(house))
  expected = await answer(asker, () => true)
  strange = asker.tokens.Bob ?? ''
  await close()
})
afterAll(() => services.stop())

async function open(it: Prepared): Promise<void> {
  prepared = it
  gateway = gatewayOver(prepared, services)
  asker = await asking(prepared, gateway, services)
}

async function close(): Promise<void> {
  await gateway.close()
  await prepared.stop()
}

const whoIsIt = '{ viewer { name } }'

describe.each(versions)('Better Auth $version', ({ name, version }) => {
  beforeAll(async () => {
    const library = await libraryFrom(load, name)
    // It makes what points to organizations before it makes organizations.
    const inSteps = version.startsWith('1.3.')
    await open(await prepare({ naming: camelCase, library, inSteps }))
  })
  afterAll(close)

  test('is the version that it is called', async () => {
    expect(await installedVersion(name)).toBe(version)
  })

  // What 1.2 writes is not the same: it has no roles in the database, and no people in teams.
  if (minor(version) > 2)
    test('the same questions are given the same answers', async () => {
      const answers = await answer(asker, () => true)
      const inCommon = minor(version) < 4 ? withoutYoungFields : (answer: unknown) => answer
      for (const [question, given] of Object.entries(answers))
        expect
          .soft({ [question]: inCommon(given) })
          .toEqual({ [question]: inCommon(expected[question]) })
    })
  else
    test('an organization is what the version itself shows of it, but for its teams', async () => {
      const { auth, world, database, report } = prepared
      const headers = world.headers.Ada ?? new Headers()
      const query = { organizationId: world.ids.Acme ?? '' }
      const own = await auth.api.getFullOrganization({ query, headers })
      if (!own) throw new Error('There is no organization.')
      const { data } = await gateway.graphql(
        `query ($id: ID!) { organization(id: $id) { id name slug metadata createdAt
          members(first: 10) { nodes { id roles createdAt user { id email } } }
          invitations(first: 10) { nodes { id email roles status expiresAt inviter { id } } } } }`,
        { token: asker.tokens.Ada, variables: { id: query.organizationId } },
      )
      expect(data.organization).toEqual({
        id: own.id,
        name: 'Acme',
        slug: 'acme',
        metadata: { plan: 'gold' },
        createdAt: own.createdAt.toISOString(),
        members: {
          nodes: own.members.map(({ id, role, createdAt, user }) => ({
            id,
            roles: role.split(','),
            createdAt: createdAt.toISOString(),
            user: { id: user.id, email: user.email },
          })),
        },
        invitations: {
          nodes: own.invitations.map(({ id, email, role, status, expiresAt, inviterId }) => ({
            id,
            email,
            roles: [role],
            status: status.toUpperCase(),
            expiresAt: expiresAt.toISOString(),
            inviter: { id: inviterId },
          })),
        },
      })
      const teams = await database.sql('select name from team order by name')
      expect(teams).toEqual([{ name: 'Acme' }, { name: 'Beta' }])
      expect(report.found.map(({ model }) => model)).not.toContain('Team')
      expect(report.unreadTables).toEqual([expect.stringMatching(/^Team: the table "team" is/)])
      const asked = await gateway.graphql('{ organizations { nodes { teams { totalCount } } } }')
      expect(codesOf(asked)).toEqual({ '': 'GRAPHQL_VALIDATION_FAILED' })
    })

  if (version === '1.7.0')
    test('its accounts have an issuer that may not be NULL', async () => {
      const nullable = `select is_nullable from information_schema.columns
        where table_name = 'account' and column_name = 'issuer'`
      expect(await prepared.database.sql(nullable)).toEqual([{ is_nullable: 'NO' }])
    })

  test('its own JWTs let in, and those of another do not', async () => {
    const own = await gateway.graphql(whoIsIt, { token: asker.tokens.Bob })
    expect(own.data).toEqual({ viewer: { name: 'Bob' } })
    expect((await gateway.told(whoIsIt, { token: strange })).status).toBe(401)
  })

  test('its session cookies let in until they are signed out', async () => {
    const cookie = await signIn(prepared.auth, 'bob@example.com')
    const ask = async () => (await gateway.graphql(whoIsIt, { headers: { cookie } })).data
    expect(await ask()).toEqual({ viewer: { name: 'Bob' } })
    await signOut(prepared.auth, cookie)
    expect(await ask()).toEqual({ viewer: null })
  })

  test('people may do what its own has-permission says', async () => {
    const { ids } = prepared.world
    const own: Record<string, boolean> = {}
    const checks: object[] = []
    // Whom Better Auth has banned it lets in no more, so that nobody can ask it.
    for (const person of ['Ada', 'Bob', 'Cleo', 'Dan']) {
      const cookie = await signIn(prepared.auth, `${person.toLowerCase()}@example.com`)
      for (const organization of ['Acme', 'Beta'])
        for (const [resource, action] of asked) {
          const organizationId = ids[organization] ?? ''
          const body = { organizationId, permissions: { [resource]: [action] } }
          const label = `${person} ${resource}:${action} ${organization}`
          own[label] = (await hasPermission(prepared.auth, cookie, body)) === true
          const permission = `${resource}:${action}`
          checks.push({ permission, organizationId, userId: ids[person] })
        }
    }
    const query =
      'query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks, consistency: FRESH) { allowed } }'
    const { data } = await gateway.graphql(query, {
      token: asker.tokens.service,
      variables: { checks },
    })
    const allowed = data.checkPermissions.map((check: { allowed: boolean }) => check.allowed)
    expect(Object.fromEntries(Object.keys(own).map((label, i) => [label, allowed[i]]))).toEqual(own)
    expect(new Set(allowed)).toEqual(new Set([true, false]))
  })
})

/** Without what versions before 1.4 do not store: when an invitation was made, and that somebody is not anonymous. */
function withoutYoungFields(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value) => {
    if (key === 'isAnonymous' || /cursor$/i.test(key)) return undefined
    return value && typeof value === 'object' && 'inviter' in value
      ? { ...value, createdAt: undefined }
      : value
  })
  return JSON.parse(text)
}

const asked = [
  ['report', 'read'],
  ['leave', 'approve'],
  ['leave', 'request'],
  ['organization', 'update'],
  ['organization', 'delete'],
  ['invitation', 'create'],
  ['member', 'delete'],
  ['nothing', 'read'],
] as const
