import { describe, expect, test } from 'vitest'
import { functionStatements, ownerFunctions } from '../../src/layout/owner-functions.ts'
import type { Person } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, sql, ada, bob, root, acme, evil } = await world({ own: true })
const { api } = identity.betterAuth.auth
const gateway = gatewayWith({
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: identity.betterAuth.secret,
})

async function sessionsOf({ id }: Person): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    'select id from sessions where user_id = $1 order by created_at, id',
    [id],
  )
  return rows.map((row) => row.id)
}

async function ask(token: string, fields = 'id') {
  const query = `{ viewerSession { ${fields} } viewer { sessions { nodes { id isCurrent } } } }`
  const { data, errors } = await gateway.graphql(query, { token })
  expect(errors).toEqual([])
  return data
}

/** A token as `definePayload` of the application can make it. */
async function tokenWith(payload: Readonly<Record<string, string>>): Promise<string> {
  return (await api.signJWT({ body: { payload } })).token
}

test('the session that a request comes with is the current one, and no other', async () => {
  await api.signInEmail({ body: { email: ada.email, password: ada.password } })
  const [first, second] = await sessionsOf(ada)
  expect(await ask(ada.session)).toEqual({
    viewerSession: { id: first },
    viewer: {
      sessions: {
        nodes: [
          { id: first, isCurrent: true },
          { id: second, isCurrent: false },
        ],
      },
    },
  })
})

test('by a JWT it is not known, unless the token names it', async () => {
  const [first = '', second = ''] = await sessionsOf(ada)
  const unknown = {
    viewerSession: null,
    viewer: {
      sessions: {
        nodes: [
          { id: first, isCurrent: null },
          { id: second, isCurrent: null },
        ],
      },
    },
  }
  expect(await ask(await ada.jwt())).toEqual(unknown)
  const named = await ask(await tokenWith({ sub: ada.id, sid: second }))
  expect(named.viewerSession).toEqual({ id: second })
})

describe('a token shows no session', () => {
  test('of somebody else', async () => {
    const [theirs = ''] = await sessionsOf(bob)
    const { viewerSession } = await ask(await tokenWith({ sub: ada.id, sid: theirs }))
    expect(viewerSession).toBeNull()
  })

  test('that has ended, or that never was', async () => {
    const [, second = ''] = await sessionsOf(ada)
    await sql('update sessions set expires_at = now() where id = $1', [second])
    for (const sid of [second, 'nothing'])
      expect((await ask(await tokenWith({ sub: ada.id, sid }))).viewerSession).toBeNull()
  })
})

test('what is active is shown while the user may see it, and who impersonates them if they may', async () => {
  const fields =
    'activeOrganizationId activeOrganization { name } activeTeam { name } impersonatedBy impersonator { name }'
  const team = await api.createTeam({
    body: { organizationId: acme.id, name: 'Ward' },
    headers: ada.headers,
  })
  const set = (organization: string | null, teamId: string | null, by: string | null) =>
    sql(
      'update sessions set active_organization_id = $2, active_team_id = $3, impersonated_by = $4 where user_id = $1',
      [ada.id, organization, teamId, by],
    )
  await set(acme.id, team.id, bob.id)
  expect((await ask(ada.session, fields)).viewerSession).toMatchObject({
    activeOrganization: { name: 'Acme' },
    activeTeam: { name: 'Ward' },
    impersonator: { name: bob.name },
  })
  const nothing = { activeOrganization: null, activeTeam: null, impersonator: null }
  await set(evil.id, 'no-team', root.id)
  expect((await ask(ada.session, fields)).viewerSession).toEqual({
    ...nothing,
    activeOrganizationId: evil.id,
    impersonatedBy: root.id,
  })
  for (const stored of [null, '', 'x'.repeat(300)]) {
    await set(stored, stored, stored)
    expect((await ask(ada.session, fields)).viewerSession).toMatchObject(nothing)
  }
})

test('nothing is shown to an account that is banned, whether the session is known or not', async () => {
  await sql('update users set banned = true where id = $1', [bob.id])
  for (const token of [bob.session, await tokenWith({ sub: bob.id })]) {
    const { data, errors } = await gateway.graphql('{ viewerSession { id } }', { token })
    expect(data.viewerSession).toBeNull()
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED'])
  }
  await sql('update users set banned = false where id = $1', [bob.id])
})

test('until the owner has made the function, sessions are credentials all the same', async () => {
  const grantee = { role: new URL(identity.readOnlyUrl).username, schema: 'public' }
  const { sessionIds } = ownerFunctions(layout, grantee)
  await sql(`drop function ${sessionIds?.signature}`)
  const [first] = await sessionsOf(ada)
  const { viewerSession, viewer } = await ask(ada.session)
  expect(viewerSession).toBeNull()
  expect(viewer.sessions.nodes).toEqual([{ id: first, isCurrent: null }])
  expect(gateway.logged.filter((line) => line.includes('Which session calls'))).toHaveLength(1)
  for (const statement of functionStatements(sessionIds, grantee.role)) await sql(statement)
  expect((await ask(ada.session)).viewerSession).toEqual({ id: first })
})
