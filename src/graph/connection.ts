import { GatewayError } from '../domain/errors.ts'
import { DEFAULT_SIZE, LARGEST_SIZE } from '../domain/limits.ts'
import type { Listed, Page, PageRequest, Position } from '../domain/page.ts'
import type { Builder } from './builder.ts'
import type { Context } from './context.ts'
import { Cursors } from './cursor.ts'
import { loaderOf } from './loaders.ts'

export interface ConnectionArguments {
  readonly first?: number | null | undefined
  readonly last?: number | null | undefined
  readonly after?: string | null | undefined
  readonly before?: string | null | undefined
}

/** @throws GatewayError BAD_USER_INPUT for sizes out of range, both sizes at once, or a foreign cursor. */
function toPageRequest(
  { first, last, after, before }: ConnectionArguments,
  cursors: Cursors,
): PageRequest {
  if (first != null && last != null)
    throw new GatewayError('BAD_USER_INPUT', 'Give first or last, not both.')
  const size = first ?? last ?? DEFAULT_SIZE
  if (size < 1 || size > LARGEST_SIZE)
    throw new GatewayError('BAD_USER_INPUT', `first and last are 1 to ${LARGEST_SIZE}.`)
  return {
    size,
    from: last == null ? 'start' : 'end',
    after: after == null ? undefined : cursors.decode(after),
    before: before == null ? undefined : cursors.decode(before),
  }
}

interface ListedBy<Entity, Node> {
  /** The field, for example `Organization.members`. */
  readonly field: string
  /** Absent: the list has no parent. */
  readonly parentId?: string
  /** Whatever else decides what the list holds and in which order; parents with the same share a statement. */
  readonly variant?: unknown
  /** What the list is ordered by. */
  readonly key?: 'instant' | 'text'
  /** A parent that is left out of the answer has an empty list. */
  readonly load: (
    parentIds: readonly string[],
    page: PageRequest,
  ) => Promise<ReadonlyMap<string, Page<Listed<Entity>>>>
  readonly count: (parentIds: readonly string[]) => Promise<ReadonlyMap<string, number>>
  readonly toNode: (entity: Entity) => Node
}

/** A Relay connection. The same page of several parents is one statement, and so are their counts. */
export async function connect<Entity, Node>(
  context: Context,
  args: ConnectionArguments,
  { field, parentId = '', variant = null, key = 'instant', ...list }: ListedBy<Entity, Node>,
) {
  const cursors = new Cursors([field, parentId, variant], key)
  const request = toPageRequest(args, cursors)
  const load = (ids: readonly string[]) => list.load(ids, request)
  const page = await batch(context, JSON.stringify([field, variant, request]), load, parentId)
  const edges = (page?.items ?? []).map(
    ({ entity, position }) => new Edge(cursors, position, entity, list.toNode(entity)),
  )
  return {
    edges,
    pageInfo: new PageInfo(edges, page),
    totalCount: async () =>
      (await batch(context, JSON.stringify([field, variant, 'count']), list.count, parentId)) ?? 0,
  }
}

/*
 * Most clients select few cursors or none, so each is made when it is asked for. These are classes, because an object
 * literal with a getter has a hidden class of its own each time, which holds on to the whole page until the old generation
 * is collected.
 */

class PageInfo {
  readonly #edges: readonly { readonly cursor: string }[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean

  constructor(edges: readonly { readonly cursor: string }[], page: Page<unknown> | undefined) {
    this.#edges = edges
    this.hasNextPage = page?.hasNextPage ?? false
    this.hasPreviousPage = page?.hasPreviousPage ?? false
  }

  get startCursor(): string | null {
    return this.#edges[0]?.cursor ?? null
  }

  get endCursor(): string | null {
    return this.#edges.at(-1)?.cursor ?? null
  }
}

class Edge<Entity, Node> {
  readonly #cursors: Cursors
  readonly #position: Position
  /** What was listed, which leads to the node. */
  readonly entity: Entity
  readonly node: Node

  constructor(cursors: Cursors, position: Position, entity: Entity, node: Node) {
    this.#cursors = cursors
    this.#position = position
    this.entity = entity
    this.node = node
  }

  get cursor(): string {
    return this.#cursors.encode(this.#position)
  }
}

interface ListOfAll<Entity> extends Pick<ListedBy<unknown, unknown>, 'field' | 'variant' | 'key'> {
  readonly load: (page: PageRequest) => Promise<Page<Listed<Entity>>>
  readonly count: () => Promise<number>
}

/** A Relay connection of a list that has no parent. */
export function connectAll<Entity>(
  context: Context,
  args: ConnectionArguments,
  { load, count, ...list }: ListOfAll<Entity>,
) {
  const only = <Value>(ids: readonly string[], value: Value) =>
    new Map(ids.map((id) => [id, value]))
  return connect(context, args, {
    ...list,
    load: async (ids, page) => only(ids, await load(page)),
    count: async (ids) => only(ids, await count()),
    toNode: (entity) => entity,
  })
}

function batch<Value>(
  context: Context,
  name: string,
  load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  key: string,
): Promise<Value | undefined> {
  return loaderOf<string, Value | undefined>(context, name, async (keys) => {
    const found = await load(keys)
    return (wanted) => found.get(wanted)
  }).load(key)
}

export function defineConnections(builder: Builder) {
  builder.globalConnectionField('totalCount', (t) =>
    t.int({
      description: 'How many entries the whole list has. Counted only when selected.',
      resolve: (connection) => connection.totalCount(),
    }),
  )
}
