import { expect, test } from 'vitest'
import { changesWorld } from '../support/changes-world.ts'

const { of, listen } = await changesWorld()
const { sql, ada, bob, carol, eve, rita, acme, identity, services } = of
const { subscribe } = await listen({
  AUTH_SESSIONS: 'on',
  BETTER_AUTH_SECRET: identity.betterAuth.secret,
})

const VIEWER = `subscription { viewerChanged { kind viewer {
  name sessions { nodes { id } } memberships { nodes { organization { name } roles permissions } }
} } }`

/** What an event says of whoever subscribed. */
const told = ({ data, errors }: { data?: { viewerChanged: never }; errors?: unknown }) => {
  expect(errors).toBeUndefined()
  return data?.viewerChanged as unknown as {
    kind: string
    viewer: {
      name: string
      sessions: { nodes: { id: string }[] }
      memberships: {
        nodes: { organization: { name: string }; roles: string[]; permissions: string[] }[]
      }
    }
  }
}

test('begins at once with how everything is', async () => {
  const stream = await subscribe(VIEWER, { token: await carol.jwt() })
  const { kind, viewer } = told(await stream.next())
  expect(kind).toBe('READ_AGAIN')
  expect(viewer.name).toBe('Carol')
  expect(viewer.memberships.nodes).toMatchObject([{ roles: ['member'] }])
  expect(await stream.isQuiet(300)).toBe(true)
})

test('tells of roles, with the permissions of the moment and not of the cache', async () => {
  const stream = await subscribe(VIEWER, { token: await carol.jwt() })
  await stream.next()
  await sql("update members set role = 'approver' where user_id = $1", [carol.id])
  const { kind, viewer } = told(await stream.next())
  expect(kind).toBe('CHANGED')
  expect(viewer.memberships.nodes[0]?.permissions).toContain('leave:approve')
  await sql("update members set role = 'member' where user_id = $1", [carol.id])
  expect(told(await stream.next()).viewer.memberships.nodes[0]?.permissions).not.toContain(
    'leave:approve',
  )
})

test('tells of a role that the organization defines, of which the members are not named', async () => {
  const stream = await subscribe(VIEWER, { token: await carol.jwt() })
  const others = await subscribe(VIEWER, { token: await eve.jwt() })
  await Promise.all([stream.next(), others.next()])
  await sql(
    `insert into organization_roles (id, organization_id, role, permission, created_at)
      values ('r1', $1, 'member', '{"report":["read"]}', now())`,
    [acme.id],
  )
  expect(told(await stream.next()).viewer.memberships.nodes[0]?.permissions).toContain(
    'report:read',
  )
  await sql("delete from organization_roles where id = 'r1'")
  await stream.next()
  expect(await others.isQuiet(500)).toBe(true)
})

test('tells of the account, and of sessions', async () => {
  const stream = await subscribe(VIEWER, { token: await rita.jwt() })
  await stream.next()
  await sql("update users set name = 'Rita R.' where id = $1", [rita.id])
  expect(told(await stream.next()).viewer.name).toBe('Rita R.')
  const { token } = await identity.betterAuth.auth.api.signInEmail({
    body: { email: rita.email, password: rita.password },
  })
  expect(told(await stream.next()).viewer.sessions.nodes).toHaveLength(2)
  await sql('delete from sessions where token = $1', [token])
  expect(told(await stream.next()).viewer.sessions.nodes).toHaveLength(1)
})

test('tells of somebody who is one of very many', async () => {
  const stream = await subscribe(VIEWER, { token: await bob.jwt() })
  await stream.next()
  await sql("update members set role = role || ',member' where organization_id = $1", [acme.id])
  expect(told(await stream.next()).kind).toBe('CHANGED')
  await sql(
    `insert into users (id, name, email, email_verified)
      select 'many-' || n, 'N', 'many-' || n || '@example.com', true from generate_series(1, 2000) n`,
  )
  expect(await stream.isQuiet(500)).toBe(true)
  await sql("update users set name = 'M' where id like 'many-%'")
  expect(told(await stream.next()).kind).toBe('READ_AGAIN')
})

test('tells nobody of what is about others', async () => {
  const stream = await subscribe(VIEWER, { token: await eve.jwt() })
  await stream.next()
  await sql("update users set name = 'Carol C.' where id = $1", [carol.id])
  await sql("update members set role = 'approver' where user_id = $1", [carol.id])
  await sql("update organizations set name = 'Acme 2' where id = $1", [acme.id])
  expect(await stream.isQuiet(700)).toBe(true)
})

test('several changes at once are one event', async () => {
  const stream = await subscribe(VIEWER, { token: await carol.jwt() })
  await stream.next()
  for (const name of ['A', 'B', 'C', 'Carol'])
    await sql('update users set name = $2 where id = $1', [carol.id, name])
  expect(told(await stream.next()).viewer.name).toBe('Carol')
  expect(await stream.isQuiet(700)).toBe(true)
})

test('ends with an event that says so when the account is banned, and tells nothing after it', async () => {
  const stream = await subscribe(VIEWER, { token: await bob.jwt() })
  await stream.next()
  await sql('update users set banned = true where id = $1', [bob.id])
  expect(await stream.next()).toEqual({
    data: { viewerChanged: { kind: 'ENDED', viewer: null } },
  })
  expect(await stream.end()).toBe('complete')
  const refused = await subscribe(VIEWER, { token: await bob.jwt() })
  expect(await refused.next()).toMatchObject({
    data: { viewerChanged: null },
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  })
  expect(await refused.end()).toBe('complete')
  await sql('update users set banned = false where id = $1', [bob.id])
})

test('ends when the session ends with which it came, and not with another', async () => {
  const api = identity.betterAuth.auth.api
  const signIn = async () => {
    const { headers, response } = await api.signInEmail({
      body: { email: ada.email, password: ada.password },
      returnHeaders: true,
    })
    return { token: response.token, session: headers.get('set-auth-token') ?? '' }
  }
  const [one, other] = [await signIn(), await signIn()]
  const streams = [
    await subscribe(VIEWER, { token: one.session }),
    await subscribe(VIEWER, { token: other.session }),
  ] as const
  for (const stream of streams) await stream.next()
  await sql('delete from sessions where token = $1', [one.token])
  expect(await streams[0].next()).toEqual({
    data: { viewerChanged: { kind: 'ENDED', viewer: null } },
  })
  expect(await streams[0].end()).toBe('complete')
  expect(told(await streams[1].next()).kind).toBe('CHANGED')
})

test('is for users', async () => {
  const service = await subscribe(VIEWER, { token: await services.token('identity:read') })
  expect(await service.next()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
  expect(await service.end()).toBe('complete')
  const nobody = await subscribe(VIEWER)
  expect(await nobody.next()).toMatchObject({
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  })
  expect(await nobody.end()).toBe('complete')
})
