import pg from 'pg'
import { GatewayError } from '../domain/errors.ts'
import { Prisma } from './generated/client.ts'

/** SQLSTATEs that mean the server is not there for us now, rather than that the statement is wrong. */
const AWAY = /^(08|28|3D000|40001|53|57P0[1-5])/

const NOT_FOUND = 'P2025'

export function refuse(error: unknown): never {
  if (error instanceof Error && error.cause instanceof GatewayError) throw error.cause
  // Whoever asked for one that must be there is told that it is not.
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === NOT_FOUND) throw error
  const failure = driverFailure(error)
  if (failure?.sqlState === '57014')
    throw new GatewayError('TIMEOUT', 'The database took too long.', { cause: error })
  if (failure && (failure.sqlState === undefined || AWAY.test(failure.sqlState)))
    throw new GatewayError('UNAVAILABLE', 'The database cannot be reached.', { cause: error })
  throw new GatewayError('INTERNAL', 'The database refused a statement.', { cause: error })
}

/** What the driver saw, if the failure is its own; without an SQLSTATE there was no answer from PostgreSQL. */
function driverFailure(error: unknown): { readonly sqlState?: string | undefined } | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const { driverAdapterError } = error.meta ?? {}
    if (!(driverAdapterError instanceof Error)) return undefined
    const { originalCode } = driverAdapterError.cause as { readonly originalCode?: string }
    return { sqlState: originalCode }
  }
  if (error instanceof pg.DatabaseError) return { sqlState: error.code }
  // What happens to a connection, rather than to a statement, reaches us as the driver threw it.
  if (error instanceof Error && PLAIN.has(error.constructor)) return {}
  return undefined
}

const PLAIN = new Set<unknown>([Error, AggregateError])
