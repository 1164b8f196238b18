import type {
  DynamicRole,
  OrganizationsAsked,
  RoleRepository,
  RolesRead,
  Subject,
} from '../domain/permission.ts'
import { activeUser } from './active-user.ts'
import { type Database, Prisma } from './client.ts'
import type { TableInQuery, Tables } from './tables.ts'

export class PrismaRoleRepository implements RoleRepository {
  readonly #database: Database
  readonly #tables: Tables

  constructor(database: Database, tables: Tables) {
    this.#database = database
    this.#tables = tables
  }

  async findRoles(
    subjects: readonly Subject[],
    options: { readonly dynamic: boolean },
  ): Promise<RolesRead> {
    const user = this.#tables.as('User', 'u')
    const member = this.#tables.as('Member', 'm')
    const asked = subjects.filter(
      ({ userId, organizationId }) =>
        user.fits('id', userId) && member.fits('organizationId', organizationId),
    )
    const rows = await this.#database.read<Row>(Prisma.sql`
      SELECT asked.place, statement_timestamp() AT TIME ZONE 'UTC' AS "readAt",
        (${user.column('id')} IS NOT NULL AND ${activeUser(this.#tables, user)}) AS active,
        ARRAY(
          SELECT ${member.column('role')}::text FROM ${member.from}
          WHERE ${member.column('userId')} = ${user.column('id')}
            AND ${member.column('organizationId')} = asked.organization_id${member.cast('organizationId')}
          ORDER BY ${member.column('createdAt')}, ${member.column('id')}) AS memberships,
        ${this.#dynamicRoles(options.dynamic)} AS "dynamicRoles"
      FROM unnest(${asked.map((subject) => subject.userId)}::text[],
        ${asked.map((subject) => subject.organizationId)}::text[])
        WITH ORDINALITY AS asked (user_id, organization_id, place)
      LEFT JOIN ${user.from} ON ${user.column('id')} = asked.user_id${user.cast('id')}`)
    return toRolesRead(subjects, asked, rows)
  }

  async findDynamicRoles(
    organizations: OrganizationsAsked,
  ): Promise<ReadonlyMap<string, readonly DynamicRole[]>> {
    if (!this.#tables.has('OrganizationRole')) return new Map()
    const role = this.#tables.as('OrganizationRole', 'r')
    const rows = await this.#database.read<{ organizationId: string; roles: DynamicRole[] }>(
      Prisma.sql`
        SELECT ${role.column('organizationId')}::text AS "organizationId", ${asJson(role)} AS roles
        FROM ${role.from}
        WHERE ${role.column('organizationId')} = ANY(${this.#asked(organizations)})
        GROUP BY ${role.column('organizationId')}`,
    )
    return new Map(rows.map(({ organizationId, roles }) => [organizationId, roles]))
  }

  /** The organizations' ids, as an array. */
  #asked(organizations: OrganizationsAsked): Prisma.Sql {
    const role = this.#tables.as('OrganizationRole', 'r')
    if ('organizationIds' in organizations)
      return role.array('organizationId', organizations.organizationIds)
    const member = this.#tables.as('Member', 'm')
    return Prisma.sql`ARRAY(SELECT ${member.column('organizationId')} FROM ${member.from}
      WHERE ${member.column('userId')} = ANY(${member.array('userId', organizations.ofUserIds)}))`
  }

  /** As JSON, once for each organization: on its first subject. */
  #dynamicRoles(wanted: boolean): Prisma.Sql {
    if (!wanted || !this.#tables.has('OrganizationRole')) return Prisma.sql`NULL::json`
    const role = this.#tables.as('OrganizationRole', 'r')
    return Prisma.sql`CASE
      WHEN row_number() OVER (PARTITION BY asked.organization_id ORDER BY asked.place) = 1 THEN (
        SELECT ${asJson(role)}
        FROM ${role.from}
        WHERE ${role.column('organizationId')} = asked.organization_id${role.cast('organizationId')})
      END`
  }
}

function asJson(role: TableInQuery): Prisma.Sql {
  return Prisma.sql`json_agg(json_build_object(
    'role', ${role.column('role')}::text, 'permission', ${role.column('permission')}::text))`
}

interface Row {
  readonly place: bigint
  readonly readAt: Date
  readonly active: boolean
  readonly memberships: readonly string[]
  readonly dynamicRoles: readonly DynamicRole[] | null
}

function toRolesRead(
  subjects: readonly Subject[],
  asked: readonly Subject[],
  rows: readonly Row[],
): RolesRead {
  const found = new Map(rows.map((row) => [asked[Number(row.place) - 1], row]))
  const dynamicRoles = new Map<string, readonly DynamicRole[]>()
  for (const [subject, row] of found)
    if (subject && row.dynamicRoles) dynamicRoles.set(subject.organizationId, row.dynamicRoles)
  return {
    readAt: rows[0]?.readAt ?? new Date(),
    subjects: subjects.map((subject) => ({
      userId: subject.userId,
      organizationId: subject.organizationId,
      active: found.get(subject)?.active ?? false,
      memberships: found.get(subject)?.memberships ?? [],
    })),
    dynamicRoles,
  }
}
