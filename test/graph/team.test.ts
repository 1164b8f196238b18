import { expect, test } from 'vitest'
import { codesOf } from '../support/codes.ts'
import { world } from '../support/world.ts'

const { gateway, identity, sql, ada, bob, acme } = await world({ own: true })
const { api } = identity.betterAuth.auth
const { id: teamId } = await api.createTeam({
  body: { organizationId: acme.id, name: 'Crew' },
  headers: ada.headers,
})
for (const { id: userId } of [ada, bob])
  await api.addTeamMember({ body: { teamId, userId }, headers: ada.headers })

test('a team and its members say what their rows say', async () => {
  await sql("update teams set created_at = '2126-01-31T09:30:00Z' where id = $1", [teamId])
  await sql("update team_members set created_at = '2026-02-01T09:30:00Z' where user_id = $1", [
    ada.id,
  ])
  const [row] = await sql<{ id: string }>(
    'select id from team_members where team_id = $1 and user_id = $2',
    [teamId, ada.id],
  )
  const { data, errors } = await gateway.graphql(
    `{ organization(id: "${acme.id}") { teams(last: 1) { nodes { id name createdAt organization { id }
      members(first: 1) { totalCount nodes { id createdAt user { name } team { id } } } } } } }`,
    { token: await ada.jwt() },
  )
  expect(errors).toEqual([])
  expect(data.organization.teams.nodes).toEqual([
    {
      id: teamId,
      name: 'Crew',
      createdAt: '2126-01-31T09:30:00.000Z',
      organization: { id: acme.id },
      members: {
        totalCount: 2,
        nodes: [
          {
            id: row?.id,
            createdAt: '2026-02-01T09:30:00.000Z',
            user: { name: 'Ada' },
            team: { id: teamId },
          },
        ],
      },
    },
  ])
})

test('one who was taken from it is not in it, does not see who is, and stays a member', async () => {
  const query = `{ organization(id: "${acme.id}") { viewerTeams { id } member(userId: "${bob.id}") { id }
    members(filter: { userIds: ["${bob.id}"] }) { totalCount }
    teams(last: 1) { nodes { members { nodes { user { id } } } } } } }`
  const read = async (token: string) => gateway.graphql(query, { token })
  const before = await read(await bob.jwt())
  expect(before.errors).toEqual([])
  expect(before.data.organization.viewerTeams).toEqual([{ id: teamId }])
  await api.removeTeamMember({ body: { teamId, userId: bob.id }, headers: ada.headers })
  const after = await read(await bob.jwt())
  expect(codesOf(after)).toEqual({ 'organization.teams.nodes.0.members': 'FORBIDDEN' })
  expect(after.data.organization.viewerTeams).toEqual([])
  const { organization } = (await read(await ada.jwt())).data
  expect(organization.teams.nodes).toEqual([{ members: { nodes: [{ user: { id: ada.id } }] } }])
  expect(organization.member).not.toBeNull()
  expect(organization.members.totalCount).toBe(1)
})
