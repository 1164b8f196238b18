import { pairKey, type Subject } from '../domain/permission.ts'
import {
  MOST_TEAMS,
  type Team,
  type TeamMemberWithUser,
  type TeamRepository,
  type TeamsOfMember,
} from '../domain/team.ts'
import { Prisma } from './client.ts'
import { Columns, type Row } from './columns.ts'
import { type Db, joining, lookUp } from './db.ts'
import { by, byText } from './join.ts'
import { listsOf } from './list.ts'
import { byCreation, byInstant } from './order.ts'
import type { List } from './rows.ts'
import type { Tables } from './tables.ts'
import { summary } from './user.ts'

const team = new Columns<Team>('Team', 't', {
  id: 'same',
  organizationId: 'same',
  name: 'same',
  createdAt: 'same',
})

const teamMember = new Columns<TeamMemberWithUser>('TeamMember', 'tm', {
  id: 'same',
  teamId: 'same',
  userId: 'same',
  createdAt: 'same',
  user: summary,
})

/** By hand, because a page of team members brings who they are. */
export function createTeamRepository(db: Db): TeamRepository {
  const joined = joining(db, 'teams')
  const teams = listsOf(db, joined, team, ofOrganizations)
  const members = listsOf(db, joined, teamMember, membersOf)
  return {
    findByIds: joined(by('id'), (ids) => lookUp(db, team, 'id', ids)),
    findByPairs: joined(byText<TeamsOfMember, Subject>(pairKey, pairKey), (pairs) =>
      findByPairs(db, pairs),
    ),
    listByOrganizationIds: teams.list,
    countByOrganizationIds: teams.count,
    findByUserId: (userId, organizationIds) => findByUserId(db, userId, organizationIds),
    listMembers: members.list,
    countMembers: members.count,
  }
}

/**
 * The teams of a person and their memberships there, to select from.
 * @param userId What their id is equal to: they come first, because the other way leads through all teams of the organization.
 */
function teamsOfPerson(tables: Tables, userId: Prisma.Sql): Prisma.Sql {
  const t = tables.as('Team', 't')
  const tm = tables.as('TeamMember', 'tm')
  return Prisma.sql`(SELECT ${tm.columns} FROM ${tm.from}
      WHERE ${tm.column('userId')} = ${userId} OFFSET 0) AS ${tm.alias}
    JOIN ${t.from} ON ${tm.equals('teamId', t, 'id')}`
}

async function findByPairs({ read, tables }: Db, pairs: readonly Subject[]) {
  const t = tables.as('Team', 't')
  const tm = tables.as('TeamMember', 'tm')
  const asked = pairs.filter(
    (pair) => tm.fits('userId', pair.userId) && t.fits('organizationId', pair.organizationId),
  )
  const users = asked.map(({ userId }) => userId)
  const organizations = asked.map(({ organizationId }) => organizationId)
  const rows = await read<Row & { readonly 'asked.user': string }>(Prisma.sql`
    SELECT asked.user_id::text AS "asked.user", own.*
    FROM unnest(${tm.array('userId', users)}, ${t.array('organizationId', organizations)})
      AS asked (user_id, organization_id)
    CROSS JOIN LATERAL (
      SELECT DISTINCT ON (${t.column('createdAt')}, ${t.column('id')}) ${team.select(tables)}
      FROM ${teamsOfPerson(tables, Prisma.sql`asked.user_id`)}
      WHERE ${t.column('organizationId')} = asked.organization_id
      ORDER BY ${t.column('createdAt')}, ${t.column('id')}
      LIMIT ${MOST_TEAMS}) AS own`)
  const found = new Map<string, { userId: string; organizationId: string; teams: Team[] }>()
  for (const row of rows) {
    const one = team.read(row)
    const pair = { userId: row['asked.user'], organizationId: one.organizationId }
    const known = found.get(pairKey(pair))
    if (known) known.teams.push(one)
    else found.set(pairKey(pair), { ...pair, teams: [one] })
  }
  return [...found.values()]
}

async function findByUserId(
  { read, tables }: Db,
  userId: string,
  organizationIds: readonly string[],
): Promise<readonly Team[]> {
  const t = tables.as('Team', 't')
  const tm = tables.as('TeamMember', 'tm')
  const rows = await read<Row>(Prisma.sql`
    SELECT DISTINCT ON (${t.column('createdAt')}, ${t.column('id')}) ${team.select(tables)}
    FROM ${teamsOfPerson(tables, Prisma.sql`ANY(${tm.array('userId', [userId])})`)}
    WHERE ${t.column('organizationId')} = ANY(${t.array('organizationId', organizationIds)})
    ORDER BY ${t.column('createdAt')}, ${t.column('id')}`)
  return rows.map(team.read)
}

function ofOrganizations({ tables }: Db): List {
  const t = tables.as('Team', 't')
  return {
    table: t,
    parent: 'organizationId',
    key: byInstant(t, 'createdAt'),
  }
}

/** Rows without a creation time come first. */
function membersOf({ tables }: Db): List {
  const tm = tables.as('TeamMember', 'tm')
  return {
    table: tm,
    parent: 'teamId',
    key: byCreation(tm),
    beside: { table: tables.as('User', 'u'), by: 'userId' },
  }
}
