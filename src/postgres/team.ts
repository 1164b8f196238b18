import type { Team, TeamMemberWithUser, TeamRepository } from '../domain/team.ts'
import { Prisma } from './client.ts'
import { Columns, type Row } from './columns.ts'
import { type Db, joining, lookUp } from './db.ts'
import { by } from './join.ts'
import { listsOf } from './list.ts'
import { byCreation, byInstant } from './order.ts'
import type { List } from './rows.ts'
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
    listByOrganizationIds: teams.list,
    countByOrganizationIds: teams.count,
    findByUserId: (userId, organizationIds) => findByUserId(db, userId, organizationIds),
    listMembers: members.list,
    countMembers: members.count,
  }
}

async function findByUserId(
  { read, tables }: Db,
  userId: string,
  organizationIds: readonly string[],
): Promise<readonly Team[]> {
  const t = tables.as('Team', 't')
  const tm = tables.as('TeamMember', 'tm')
  const rows = await read<Row>(Prisma.sql`
    SELECT ${team.select(tables)} FROM ${t.from}
    WHERE ${t.column('organizationId')} = ANY(${t.array('organizationId', organizationIds)})
      AND EXISTS (SELECT FROM ${tm.from}
        WHERE ${tm.equals('teamId', t, 'id')}
          AND ${tm.column('userId')} = ANY(${tm.array('userId', [userId])}))
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
