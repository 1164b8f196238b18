import type { CountsByParent, Listed, PageRequest, PagesByParent } from '../domain/page.ts'
import type { Team, TeamMember, TeamMemberWithUser, TeamRepository } from '../domain/team.ts'
import { type Database, Prisma } from './client.ts'
import { byCreation, byInstant, countRows, type List, listPages } from './list.ts'
import { reader, type Tables } from './tables.ts'
import { readSummary, summaryFields } from './user.ts'

const teamFields = ['id', 'organizationId', 'name', 'createdAt'] as const
const teamMemberFields = ['id', 'teamId', 'userId', 'createdAt'] as const

export class PrismaTeamRepository implements TeamRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  listByOrganizationIds(
    organizationIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<Team>>> {
    const columns = this.#tables.as('Team', 't').select(teamFields)
    return listPages(this.#database, this.#teams(), columns, readTeam, organizationIds, page)
  }

  countByOrganizationIds(organizationIds: readonly string[]): Promise<CountsByParent> {
    return countRows(this.#database, this.#teams(), organizationIds)
  }

  async findByUserId(userId: string, organizationIds: readonly string[]): Promise<readonly Team[]> {
    const team = this.#tables.as('Team', 't')
    const teamMember = this.#tables.as('TeamMember', 'tm')
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT ${team.select(teamFields)} FROM ${team.from}
      WHERE ${team.column('organizationId')} = ANY(${team.array('organizationId', organizationIds)})
        AND EXISTS (SELECT FROM ${teamMember.from}
          WHERE ${teamMember.column('teamId')} = ${team.column('id')}
            AND ${teamMember.column('userId')} = ANY(${teamMember.array('userId', [userId])}))
      ORDER BY ${team.column('createdAt')}, ${team.column('id')}`)
    return rows.map(readTeam)
  }

  listMembers(
    teamIds: readonly string[],
    page: PageRequest,
  ): Promise<PagesByParent<Listed<TeamMemberWithUser>>> {
    const columns = Prisma.join([
      this.#tables.as('TeamMember', 'tm').select(teamMemberFields),
      this.#tables.as('User', 'u').select(summaryFields),
    ])
    return listPages(this.#database, this.#members(), columns, readMember, teamIds, page)
  }

  countMembers(teamIds: readonly string[]): Promise<CountsByParent> {
    return countRows(this.#database, this.#members(), teamIds)
  }

  #teams(): List {
    const team = this.#tables.as('Team', 't')
    return {
      table: team,
      parent: 'organizationId',
      key: byInstant(team, 'createdAt'),
      direction: 'ASC',
      join: Prisma.empty,
      where: Prisma.empty,
    }
  }

  /** Rows without a creation time come first. */
  #members(): List {
    const teamMember = this.#tables.as('TeamMember', 'tm')
    const user = this.#tables.as('User', 'u')
    return {
      table: teamMember,
      parent: 'teamId',
      key: byCreation(teamMember),
      direction: 'ASC',
      join: Prisma.sql`JOIN ${user.from} ON ${user.column('id')} = ${teamMember.column('userId')}`,
      where: Prisma.empty,
    }
  }
}

type Row = Readonly<Record<string, unknown>>

const readTeam = reader<Team>('t', teamFields)
const readTeamMember = reader<TeamMember>('tm', teamMemberFields)

function readMember(row: Row): TeamMemberWithUser {
  return { ...readTeamMember(row), user: readSummary(row) }
}
