import { MOST_ROWS } from '../domain/limits.ts'
import type { Model } from '../layout/contract.ts'
import { type Database, Prisma, toDelegate } from './client.ts'
import type { Columns, Row } from './columns.ts'
import { by, createJoin, type Join, type Joining } from './join.ts'
import type { Tables } from './tables.ts'

/** What repositories read with. */
export interface Db extends Pick<Database, 'read' | 'models' | 'lightest'> {
  readonly tables: Tables
  /** See `mostRowsOf`. */
  readonly mostRows?: number | undefined
  /** Told how many questions of a kind were answered by what somebody else was asking already. */
  readonly onJoined?: (kind: string, count: number) => void
  /** What is known of those who ask. Absent: all are one and the same, and nobody ends early. */
  readonly askers?: Omit<Joining, 'onJoined' | 'lightest'>
}

/** Rows that are looked at for a page or a length of one list. */
export function mostRowsOf({ mostRows = MOST_ROWS }: Db): number {
  return mostRows
}

/** Joins the loads of concurrent requests, which are counted as of this kind. */
export function joining({ onJoined, askers = oneAndTheSame, lightest }: Db, kind: string): Join {
  return createJoin({ ...askers, lightest, onJoined: (count) => onJoined?.(kind, count) })
}

const oneAndTheSame: NonNullable<Db['askers']> = {
  share: () => '',
  whenEnded: () => () => {},
  runShared: (work) => work(),
}

/** The rows of a table that have one of these values in a column, by hand: of what is asked for with most requests. */
export async function lookUp<Entity>(
  { read, tables }: Db,
  columns: Columns<Entity>,
  field: string,
  values: readonly string[],
  { join = Prisma.empty, lowered = false }: { join?: Prisma.Sql; lowered?: boolean } = {},
): Promise<readonly Entity[]> {
  const table = columns.table(tables)
  const column = lowered ? Prisma.sql`lower(${table.column(field)})` : table.column(field)
  const rows = await read<Row>(Prisma.sql`
    SELECT ${columns.select(tables)} FROM ${table.from} ${join}
    WHERE ${column} = ANY(${table.array(field, values)})`)
  return rows.map(columns.read)
}

/** Without those that share what should be one's own: of two, none is the one that was meant. */
export function unambiguous<Entity>(
  entities: readonly Entity[],
  keyOf: (entity: Entity) => string,
): readonly Entity[] {
  const count = new Map<string, number>()
  for (const entity of entities) count.set(keyOf(entity), (count.get(keyOf(entity)) ?? 0) + 1)
  return entities.filter((entity) => count.get(keyOf(entity)) === 1)
}

/**
 * The same by Prisma: the way to read whatever is not asked for with every request, which needs no SQL. In the order of
 * these columns, of those that there are. None where the database lacks the table.
 */
export async function findRows<Entity>(
  db: Db,
  columns: Columns<Entity>,
  field: string,
  values: readonly string[],
  orderBy: readonly string[] = [],
): Promise<readonly Entity[]> {
  const fitting = db.tables.fitting(columns.model, field, values)
  if (fitting.length === 0) return []
  const sorted = db.tables.present(columns.model, orderBy)
  return findMany(db, columns, { field, values: fitting, orderBy: sorted })
}

/** What belongs to each of many owners, whom this field names: those rows, read together with what concurrent requests ask. */
export function ofOwners<Field extends string, Entity extends Readonly<Record<Field, string>>>(
  db: Db,
  kind: string,
  columns: Columns<Entity>,
  field: Field,
  orderBy: readonly string[],
): (ownerIds: readonly string[]) => Promise<readonly Entity[]> {
  return joining(db, kind)(by(field), (ownerIds) => findRows(db, columns, field, ownerIds, orderBy))
}

/** Every row of a small table. */
export async function allRows<Entity>(
  db: Db,
  columns: Columns<Entity>,
): Promise<readonly Entity[]> {
  return db.tables.has(columns.model) ? findMany(db, columns) : []
}

interface Which {
  readonly field: string
  readonly values: readonly string[]
  readonly orderBy: readonly string[]
}

async function findMany<Entity>(db: Db, columns: Columns<Entity>, which?: Which) {
  const { models, tables } = db
  const { model } = columns
  if (!tables.isPrismas(model)) return findByHand(db, columns, which)
  const name = toDelegate(model) as Uncapitalize<Model>
  // The arguments fit every model: their names are those of its columns, which the layout knows.
  const { findMany } = models[name] as unknown as Readable
  const rows = await findMany({
    ...(which && {
      where: { [which.field]: { in: which.values } },
      orderBy: which.orderBy.map((column) => ({ [column]: 'asc' })),
    }),
    select: columns.present(tables),
  })
  return rows.map(columns.read)
}

/** Where Prisma would misread something: it takes what a column without a time zone holds for UTC, and fails on numbered ids. */
async function findByHand<Entity>({ read, tables }: Db, columns: Columns<Entity>, which?: Which) {
  const table = columns.table(tables)
  const [where, order] = which
    ? [
        Prisma.sql`WHERE ${table.column(which.field)} = ANY(${table.array(which.field, which.values)})`,
        which.orderBy.map((field) => table.column(field)),
      ]
    : [Prisma.empty, []]
  const rows = await read<Row>(Prisma.sql`
    SELECT ${columns.select(tables)} FROM ${table.from} ${where}
    ${order.length === 0 ? Prisma.empty : Prisma.sql`ORDER BY ${Prisma.join(order)}`}`)
  return rows.map(columns.read)
}

interface Readable {
  readonly findMany: (args: object) => Promise<readonly Row[]>
}
