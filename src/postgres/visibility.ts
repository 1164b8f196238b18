import type { Consent } from '../domain/caller.ts'
import type { Sight, SightQuestion, VisibilityRepository } from '../domain/visibility.ts'
import { Prisma } from './client.ts'
import type { Row } from './columns.ts'
import { activeUser, lasts } from './conditions.ts'
import { type Db, joining } from './db.ts'
import { inOrder } from './join.ts'
import type { Tables } from './tables.ts'
import { user } from './user.ts'

/** By hand, because it comes with every request of a user, and answers several questions at once. */
export function createVisibilityRepository(db: Db): VisibilityRepository {
  const joined = joining(db, 'visibility')
  const weigh = ({ organizationIds, userIds }: SightQuestion) =>
    1 + organizationIds.length + userIds.length
  return {
    look: joined(inOrder(weigh), (questions) => look(db, questions)),
    findMembers: (organizationId, userIds) => findMembers(db, organizationId, userIds),
  }
}

async function findMembers(
  { read, tables }: Db,
  organizationId: string,
  userIds: readonly string[],
) {
  if (tables.fitting('Organization', 'id', [organizationId]).length === 0) return null
  const o = tables.as('Organization', 'o')
  const m = tables.as('Member', 'm')
  const [row] = await read<{ readonly userIds: readonly string[] }>(Prisma.sql`
      SELECT ARRAY(
        SELECT ${m.column('userId')}::text FROM ${m.from}
        WHERE ${m.equals('organizationId', o, 'id')}
          AND ${m.column('userId')} = ANY(${m.array('userId', userIds)})) AS "userIds"
      FROM ${o.from} WHERE ${o.column('id')} = ${organizationId}${o.cast('id')} LIMIT 1`)
  return row ? new Set(row.userIds) : null
}

async function look(
  { read, tables }: Db,
  questions: readonly SightQuestion[],
): Promise<readonly (Sight | null)[]> {
  const u = tables.as('User', 'u')
  const asked = questions.map(({ userId, delegation, organizationIds, userIds }, place) => ({
    place,
    user_id: userId,
    client_id: consentOf(delegation)?.clientId,
    session_id: tables.has('Session') ? (consentOf(delegation)?.sessionId ?? undefined) : undefined,
    organization_ids: tables.fitting('Member', 'organizationId', organizationIds),
    user_ids: tables.fitting('Member', 'userId', userIds),
  }))
  // One look-up for each question: PostgreSQL takes them for a hundred, and would rather read all users.
  const answerable = asked.filter(
    ({ user_id, session_id }) =>
      u.fits('id', user_id) &&
      (session_id === undefined || tables.fitting('Session', 'id', [session_id]).length > 0),
  )
  const delegated = answerable.some(({ client_id }) => client_id !== undefined)
  const rows = await read<Seen>(Prisma.sql`
      SELECT asked.place, seen.*
      FROM json_to_recordset(${JSON.stringify(answerable)}::text::json)
        AS asked (place integer, user_id text, client_id text, session_id text,
          organization_ids text[], user_ids text[])
      CROSS JOIN LATERAL (
        SELECT ${user.select(tables)},
          ${organizationsOf(tables)} AS "organizationIds", ${coMembersOf(tables)} AS "coMemberIds"
        FROM ${u.from}
        WHERE ${u.column('id')} = asked.user_id${u.cast('id')}
          AND ${activeUser(tables, u)}
          ${delegated ? whileDelegated(tables) : Prisma.empty}
        LIMIT 1) AS seen`)
  const sights = new Map(rows.map((row) => [row.place, toSight(row)]))
  return questions.map((_, place) => sights.get(place) ?? null)
}

/** A key is looked up with each request that comes with it; what an app came with may have ended since. */
function consentOf(delegation: SightQuestion['delegation']): Consent | null {
  return delegation && 'clientId' in delegation ? delegation : null
}

/** That the app is not disabled, and the session of the user in which they consented to it has not ended. */
function whileDelegated(tables: Tables): Prisma.Sql {
  if (!tables.has('OauthClient')) return Prisma.sql`AND asked.client_id IS NULL`
  const u = tables.as('User', 'u')
  const c = tables.as('OauthClient', 'c')
  const client = Prisma.sql`AND (asked.client_id IS NULL OR EXISTS (
      SELECT FROM ${c.from}
      WHERE ${c.column('clientId')} = asked.client_id AND ${c.column('disabled')} IS NOT TRUE))`
  if (!tables.has('Session')) return client
  const s = tables.as('Session', 's')
  return Prisma.sql`${client} AND (asked.session_id IS NULL OR EXISTS (
      SELECT FROM ${s.from}
      WHERE ${s.column('id')} = asked.session_id${s.cast('id')}
        AND ${s.equals('userId', u, 'id')}
        AND ${lasts(s)}))`
}

function organizationsOf(tables: Tables): Prisma.Sql {
  if (!tables.has('Member')) return nothing
  const u = tables.as('User', 'u')
  const mine = tables.as('Member', 'mine')
  return Prisma.sql`CASE WHEN cardinality(asked.organization_ids) > 0 THEN ARRAY(
      SELECT DISTINCT ${mine.column('organizationId')}::text FROM ${mine.from}
      WHERE ${mine.equals('userId', u, 'id')}
        AND ${mine.column('organizationId')}
          = ANY(asked.organization_ids${mine.cast('organizationId')}[])) END`
}

function coMembersOf(tables: Tables): Prisma.Sql {
  if (!tables.has('Member')) return nothing
  const u = tables.as('User', 'u')
  const mine = tables.as('Member', 'mine')
  const theirs = tables.as('Member', 'theirs')
  // From the users asked about to the caller: the other way leads through every member of the caller's organizations.
  return Prisma.sql`CASE WHEN cardinality(asked.user_ids) > 0 THEN ARRAY(
      SELECT other.id::text FROM unnest(asked.user_ids${theirs.cast('userId')}[]) AS other (id)
      CROSS JOIN LATERAL (
        SELECT FROM ${theirs.from}
        WHERE ${theirs.column('userId')} = other.id
          AND EXISTS (SELECT FROM ${mine.from}
            WHERE ${mine.equals('userId', u, 'id')}
              AND ${mine.column('organizationId')} = ${theirs.column('organizationId')})
        LIMIT 1) AS shared) END`
}

interface Seen extends Row {
  /** Of the question. */
  readonly place: number
  /** `null`: nothing was asked. */
  readonly organizationIds: readonly string[] | null
  readonly coMemberIds: readonly string[] | null
}

function toSight(row: Seen): Sight {
  return {
    self: user.read(row),
    organizationIds: new Set(row.organizationIds),
    coMemberIds: new Set(row.coMemberIds),
  }
}

const nothing = Prisma.sql`NULL::text[]`
