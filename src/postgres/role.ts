import {
  type DynamicRole,
  pairKey,
  type RoleRepository,
  type RolesRead,
  type Subject,
} from '../domain/permission.ts'
import { Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { activeUser } from './conditions.ts'
import { type Db, findRows, joining } from './db.ts'
import { pick, type Sharing } from './join.ts'
import { textsOf } from './statements.ts'
import type { Tables } from './tables.ts'

const dynamicRole = new Columns<DynamicRole & { readonly organizationId: string }>(
  'OrganizationRole',
  '',
  { organizationId: 'same', role: 'same', permission: 'same' },
)

export function createRoleRepository(db: Db): RoleRepository {
  const joined = joining(db, 'roles')
  return {
    findRoles: joined(ofSubjects, (subjects, options) => findRoles(db, subjects, options)),
    findDynamicRoles: async (organizations) => {
      const ids =
        'organizationIds' in organizations
          ? organizations.organizationIds
          : await findOrganizationIds(db, organizations.ofUserIds)
      const rows = await findRows(db, dynamicRole, 'organizationId', ids, ['id'])
      const found = new Map<string, DynamicRole[]>()
      for (const { organizationId, role, permission } of rows) {
        const own = found.get(organizationId)
        if (own) own.push({ role, permission })
        else found.set(organizationId, [{ role, permission }])
      }
      return found
    },
  }
}

const ofSubjects: Sharing<Subject, RolesRead> = {
  textOf: pairKey,
  split: ({ readAt, subjects, dynamicRoles }) => {
    const found = new Map(subjects.map((subject) => [pairKey(subject), subject]))
    return (own) => ({
      readAt,
      subjects: own.flatMap((subject) => found.get(pairKey(subject)) ?? []),
      dynamicRoles: pick(
        dynamicRoles,
        own.map(({ organizationId }) => organizationId),
      ),
    })
  },
}

/** By hand, because it is what every permission check reads that the cache cannot answer. */
async function findRoles(
  { read, tables }: Db,
  subjects: readonly Subject[],
  options: { readonly dynamic: boolean },
): Promise<RolesRead> {
  const u = tables.as('User', 'u')
  const m = tables.as('Member', 'm')
  const asked = subjects.filter(
    ({ userId, organizationId }) =>
      u.fits('id', userId) && m.fits('organizationId', organizationId),
  )
  const rows = await read<Row>(Prisma.sql`
      SELECT asked.place, statement_timestamp() AT TIME ZONE 'UTC' AS "readAt",
        (${u.column('id')} IS NOT NULL AND ${activeUser(tables, u)}) AS active,
        ARRAY(
          SELECT coalesce(${m.column('role')}::text, '') FROM ${m.from}
          WHERE ${m.equals('userId', u, 'id')}
            AND ${m.column('organizationId')} = asked.organization_id${m.cast('organizationId')}
          ORDER BY ${m.column('createdAt')}, ${m.column('id')}) AS memberships,
        ${dynamicRolesOf(tables, options.dynamic)} AS "dynamicRoles"
      FROM unnest(${textsOf(asked.map((subject) => subject.userId))},
        ${textsOf(asked.map((subject) => subject.organizationId))})
        WITH ORDINALITY AS asked (user_id, organization_id, place)
      LEFT JOIN ${u.from} ON ${u.column('id')} = asked.user_id${u.cast('id')}`)
  return toRolesRead(subjects, asked, rows)
}

/** As JSON, once for each organization: on its first subject. */
function dynamicRolesOf(tables: Tables, wanted: boolean): Prisma.Sql {
  if (!wanted || !tables.has('OrganizationRole')) return Prisma.sql`NULL::json`
  const r = tables.as('OrganizationRole', 'r')
  return Prisma.sql`CASE
      WHEN row_number() OVER (PARTITION BY asked.organization_id ORDER BY asked.place) = 1 THEN (
        SELECT json_agg(json_build_object(
          'role', ${r.column('role')}::text, 'permission', ${r.column('permission')}::text))
        FROM ${r.from}
        WHERE ${r.column('organizationId')} = asked.organization_id${r.cast('organizationId')})
      END`
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

async function findOrganizationIds(db: Db, userIds: readonly string[]): Promise<readonly string[]> {
  const memberships = await findRows(db, membership, 'userId', userIds)
  return [...new Set(memberships.map(({ organizationId }) => organizationId))]
}

const membership = new Columns<{ readonly organizationId: string }>('Member', '', {
  organizationId: 'same',
})
