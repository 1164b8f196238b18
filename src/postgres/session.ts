import type { ApiKey, ApiKeyLookup } from '../domain/api-key-lookup.ts'
import { GatewayError } from '../domain/errors.ts'
import type { OpaqueToken, OpaqueTokenLookup } from '../domain/opaque-token-lookup.ts'
import type { Session, SessionRepository } from '../domain/session.ts'
import type { LivingSession, SessionLookup } from '../domain/session-lookup.ts'
import { IMPERSONATED, type OwnerFunction, type OwnerFunctions } from '../layout/owner-functions.ts'
import { type Database, Prisma } from './client.ts'
import { Columns } from './columns.ts'
import { allOf, lasts } from './conditions.ts'
import { type Db, findRows, joining } from './db.ts'
import { by } from './join.ts'
import { listsOf } from './list.ts'
import { byInstant } from './order.ts'
import type { List } from './rows.ts'

const session = new Columns<Session>('Session', '', {
  id: 'same',
  userId: 'same',
  createdAt: 'same',
  updatedAt: 'same',
  expiresAt: 'same',
  ipAddress: 'same',
  userAgent: 'same',
  activeOrganizationId: 'same',
  activeTeamId: 'same',
  impersonatedBy: 'same',
})

const place = new Columns<Pick<Session, 'id'>>('Session', 's', { id: 'same' })

/** Which sessions a page holds is asked by hand, as of every page; the rows are read by Prisma. */
export function createSessionRepository(db: Db): SessionRepository {
  const joined = joining(db, 'sessions')
  const places = listsOf(db, joined, place, living)
  const findByIds = joined(by('id'), (ids) => findRows(db, session, 'id', ids))
  return {
    findByIds,
    listByUserIds: async (userIds, page) => {
      const pages = [...(await places.list(userIds, page))]
      const ids = pages.flatMap(([, { items }]) => items.map(({ entity }) => entity.id))
      const rows = new Map((await findByIds(ids)).map((row) => [row.id, row]))
      return new Map(
        pages.map(([userId, { items, ...ends }]) => {
          // A session that ended in between is left out.
          const found = items.flatMap(({ entity: { id }, position }) => {
            const entity = rows.get(id)
            return entity ? [{ entity, position }] : []
          })
          return [userId, { ...ends, items: found }]
        }),
      )
    },
    countByUserIds: places.count,
  }
}

export interface Lookups {
  readonly sessions: SessionLookup
  readonly apiKeys: ApiKeyLookup
  readonly opaqueTokens: OpaqueTokenLookup
}

/**
 * What finds credentials by the functions that the database's owner installs: secrets are in neither the client's schema
 * nor the grants, so that only a function may compare them.
 * @param onRefusal Told in words, with what to do, when PostgreSQL refuses a call: the function is missing, not granted, or
 * out of date.
 */
export function createLookups(
  { read }: Pick<Database, 'read'>,
  { sessions, sessionIds, apiKeys, opaqueTokens }: OwnerFunctions,
  onRefusal: (what: string, error: unknown) => void,
): Lookups {
  const asking =
    <Answer>(made: OwnerFunction | null, what: string, onRefused = onRefusal) =>
    async (secret: string): Promise<Answer | null> => {
      const failure = `${what} cannot be looked up`
      if (!made) throw new GatewayError('UNAVAILABLE', `${failure}.`)
      try {
        const [row] = await read<{ readonly answer: Answer | null }>(
          Prisma.sql`SELECT ${Prisma.raw(made.name)}(${secret}::text) AS "answer"`,
        )
        return row?.answer ?? null
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'INTERNAL')) throw error
        const refusal = new Refusal(failure, error)
        onRefused(refusal.inFull, error)
        throw refusal
      }
    }
  let isTold = false
  const onceRefused: typeof onRefusal = (what, error) => {
    if (!isTold) onRefusal(what, error)
    isTold = true
  }
  const findUser = asking<string>(sessions, 'Sessions')
  const findId = asking<string>(sessionIds, 'Which session calls', onceRefused)
  return {
    sessions: {
      findByToken: async (token) => {
        const answer = await findUser(token)
        return answer === null ? null : sessionOf(answer)
      },
      findIdByToken: async (token) => {
        try {
          return await findId(token)
        } catch (error) {
          if (error instanceof Refusal) return null
          throw error
        }
      },
    },
    apiKeys: { findByHash: asking<ApiKey>(apiKeys, 'API keys') },
    opaqueTokens: { findByHash: asking<OpaqueToken>(opaqueTokens, 'Opaque access tokens') },
  }
}

function sessionOf(answer: string): LivingSession {
  const mark = `\n${IMPERSONATED}`
  const impersonated = answer.endsWith(mark)
  return { userId: impersonated ? answer.slice(0, -mark.length) : answer, impersonated }
}

/**
 * Looks up what nobody has. A database that is away comes back by itself.
 * @throws Error in one sentence when PostgreSQL refuses the call.
 */
export async function verifyLookup(find: (secret: string) => Promise<unknown>): Promise<void> {
  try {
    await find('')
  } catch (error) {
    if (error instanceof Refusal) throw new Error(error.inFull, { cause: error })
  }
}

class Refusal extends GatewayError {
  /** For the operator alone. */
  readonly inFull: string

  constructor(failure: string, cause: unknown) {
    super('UNAVAILABLE', `${failure}.`, { cause })
    this.inFull = `${failure}: the owner of the database must run the SQL that the command doctor --sql prints.`
  }
}

/** Those that have ended may be many more, and are left out by an index on user and end. */
function living({ tables }: Db): List {
  const table = tables.as('Session', 's')
  return {
    table,
    parent: 'userId',
    key: byInstant(table, 'createdAt'),
    gathered: true,
    within: allOf([lasts(table)]),
  }
}
