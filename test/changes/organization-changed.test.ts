import { describe, expect, test } from 'vitest'
import { acceptingKeys, createKeys, organizationConfig } from '../support/api-keys.ts'
import { changesWorld } from '../support/changes-world.ts'
import type { Told } from '../support/events.ts'
import { createApp } from '../support/oauth.ts'

const { of, listen } = await changesWorld()
const { sql, ada, bob, carol, eve, rita, ivy, root, acme, evil, identity, services } = of
const giveKey = await createKeys(identity)
const { app, environment } = await createApp(identity)
const { subscribe } = await listen({ ...environment, ...(await acceptingKeys(identity)) })
const api = identity.betterAuth.auth.api

const ORGANIZATION = `subscription ($id: ID!) { organizationChanged(id: $id) { kind organization {
  name members { nodes { user { id } roles } } teams { nodes { name members { totalCount } } }
} } }`
const MEMBERS = `subscription ($id: ID!) { organizationChanged(id: $id) { kind organization {
  name members { nodes { user { id } roles } }
} } }`
const NAME =
  'subscription ($id: ID!) { organizationChanged(id: $id) { kind organization { name } } }'
const ended = { data: { organizationChanged: { kind: 'ENDED', organization: null } } }

const asked = (id: string, token?: string, query = NAME, headers = {}) =>
  subscribe(query, { token, variables: { id }, headers })

/** One that has told how it begins. */
async function begun(id: string, token?: string, query = NAME, headers = {}) {
  const stream = await asked(id, token, query, headers)
  expect(await stream.next()).toMatchObject({
    data: { organizationChanged: { kind: 'READ_AGAIN' } },
  })
  return stream
}

const told = ({ data, errors }: Told) => {
  expect(errors).toBeUndefined()
  expect(data.organizationChanged.kind).toBe('CHANGED')
  return data.organizationChanged.organization
}

test('tells of members, of what it is called, and of roles that it defines', async () => {
  const stream = await begun(acme.id, await carol.jwt(), MEMBERS)
  const memberId = await identity.addMember(acme, rita, 'member')
  expect(told(await stream.next()).members.nodes).toHaveLength(4)
  await sql("update members set role = 'member,approver' where id = $1", [memberId])
  expect(told(await stream.next()).members.nodes).toContainEqual({
    user: { id: rita.id },
    roles: ['member', 'approver'],
  })
  await api.removeMember({
    body: { memberIdOrEmail: memberId, organizationId: acme.id },
    headers: ada.headers,
  })
  expect(told(await stream.next()).members.nodes).toHaveLength(3)
  await api.updateOrganization({
    body: { organizationId: acme.id, data: { name: 'Acme 2' } },
    headers: ada.headers,
  })
  expect(told(await stream.next()).name).toBe('Acme 2')
  await sql(
    `insert into organization_roles (id, organization_id, role, permission, created_at)
      values ('r1', $1, 'clerk', '{"report":["read"]}', now())`,
    [acme.id],
  )
  told(await stream.next())
})

test('tells of teams and who is in them, through Better Auth and by SQL', async () => {
  const stream = await begun(acme.id, await services.token(), ORGANIZATION)
  const { id: teamId } = await api.createTeam({
    body: { name: 'Blue', organizationId: acme.id },
    headers: ada.headers,
  })
  const blue = (totalCount: number, name = 'Blue') => ({ name, members: { totalCount } })
  expect(told(await stream.next()).teams.nodes).toContainEqual(blue(0))
  await api.addTeamMember({
    body: { organizationId: acme.id, teamId, userId: carol.id },
    headers: ada.headers,
  })
  expect(told(await stream.next()).teams.nodes).toContainEqual(blue(1))
  await sql('delete from team_members where team_id = $1', [teamId])
  expect(told(await stream.next()).teams.nodes).toContainEqual(blue(0))
  await sql("update teams set name = 'Green' where id = $1", [teamId])
  expect(told(await stream.next()).teams.nodes).toContainEqual(blue(0, 'Green'))
  await sql('delete from teams where id = $1', [teamId])
  expect(told(await stream.next()).teams.nodes).not.toContainEqual(blue(0, 'Green'))
})

test('an organization of others is as one that is not there', async () => {
  const token = await carol.jwt()
  const texts = await Promise.all(
    [evil.id, 'nowhere', '0'].map(async (id) => {
      const stream = await asked(id, token)
      const first = await stream.next()
      expect(await stream.end()).toBe('complete')
      return { status: stream.status, first: JSON.stringify(first), events: stream.events.length }
    }),
  )
  const none = { status: 200, first: '{"data":{"organizationChanged":null}}', events: 1 }
  expect(texts).toEqual([none, none, none])
})

describe('ends with an event that says so, and tells nothing after it, of', () => {
  const others = async () => begun(acme.id, await ada.jwt())

  test('somebody who leaves', async () => {
    await identity.addMember(acme, ivy, 'member')
    const [stream, staying] = [await begun(acme.id, await ivy.jwt(), MEMBERS), await others()]
    await api.leaveOrganization({ body: { organizationId: acme.id }, headers: ivy.headers })
    expect(await stream.next()).toEqual(ended)
    expect(await stream.end()).toBe('complete')
    await sql("update organizations set name = 'Acme 3' where id = $1", [acme.id])
    expect(told(await staying.next()).name).toMatch(/Acme/)
    expect(stream.events).toHaveLength(2)
  })

  test('somebody who is banned', async () => {
    const stream = await begun(acme.id, await bob.jwt())
    await sql('update users set banned = true where id = $1', [bob.id])
    expect(await stream.next()).toEqual(ended)
    expect(await stream.end()).toBe('complete')
    await sql('update users set banned = false where id = $1', [bob.id])
  })

  test('somebody who is deleted', async () => {
    await identity.addMember(acme, rita, 'member')
    const [stream, staying] = [
      await begun(acme.id, await rita.jwt()),
      await begun(acme.id, await ada.jwt(), MEMBERS),
    ]
    await sql('delete from users where id = $1', [rita.id])
    expect(await stream.next()).toEqual(ended)
    expect(await stream.end()).toBe('complete')
    expect(told(await staying.next()).members.nodes).toHaveLength(3)
  })

  test('an organization that is deleted, of whoever sees it', async () => {
    const gone = await identity.createOrganization(ada, 'Gone')
    const key = await giveKey({ reference_id: gone.id, config_id: organizationConfig })
    const streams = [
      await begun(gone.id, await ada.jwt()),
      await begun(gone.id, await services.token('identity:read')),
      await begun(gone.id, undefined, NAME, { 'x-api-key': key }),
    ]
    await sql('delete from organizations where id = $1', [gone.id])
    for (const stream of streams) {
      expect(await stream.next()).toEqual(ended)
      expect(await stream.end()).toBe('complete')
    }
  })
})

describe('is for', () => {
  test('services, and not for platform admins, who see no organization', async () => {
    const stream = await begun(evil.id, await services.token('identity:read'))
    await sql("update organizations set name = name || '!' where id = $1", [evil.id])
    expect(told(await stream.next()).name).toBe('Evil!')
    const admin = await asked(evil.id, await root.jwt())
    expect(await admin.next()).toEqual({ data: { organizationChanged: null } })
    expect(await admin.end()).toBe('complete')
  })

  test('keys of the organization, and of no other', async () => {
    const key = await giveKey({ reference_id: acme.id, config_id: organizationConfig })
    const stream = await begun(acme.id, undefined, NAME, { 'x-api-key': key })
    await sql("update organizations set name = 'Acme' where id = $1", [acme.id])
    expect(told(await stream.next()).name).toBe('Acme')
    const foreign = await asked(evil.id, undefined, NAME, { 'x-api-key': key })
    expect(await foreign.next()).toEqual({ data: { organizationChanged: null } })
    expect(await foreign.end()).toBe('complete')
  })

  test('apps that may read, within what their user sees', async () => {
    const token = await app.token(carol, 'openid identity:read')
    const stream = await begun(acme.id, token)
    await sql("update organizations set name = 'Acme 4' where id = $1", [acme.id])
    expect(told(await stream.next()).name).toBe('Acme 4')
    expect(await (await asked(evil.id, token)).next()).toEqual({
      data: { organizationChanged: null },
    })
  })

  test('nobody else', async () => {
    const refused = [
      ['FORBIDDEN', await services.token('permissions:check')],
      ['FORBIDDEN', await app.token(carol, 'openid')],
      ['UNAUTHENTICATED', undefined],
      ['UNAUTHENTICATED', 'forged.forged.forged'],
    ] as const
    for (const [code, token] of refused) {
      const stream = await asked(acme.id, token)
      expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code } }] })
      expect(await stream.end()).toBe('complete')
    }
    const long = await asked('x'.repeat(2000), await eve.jwt())
    expect(await long.next()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    })
  })
})
