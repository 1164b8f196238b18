import type { DefaultConnectionArguments } from '@pothos/plugin-relay'
import type { GraphQLResolveInfo } from 'graphql'
import { GatewayError } from '../../domain/errors.ts'
import { DEFAULT_SIZE, LARGEST_SIZE } from '../../domain/limits.ts'
import type { Count, Page, PageRequest, Position } from '../../domain/page.ts'
import type { Builder } from '../builder.ts'
import { type Context, inTurn } from '../context.ts'
import { Cursors } from './cursor.ts'
import { type List, NO_PARENT } from './list.ts'
import { namesBelow } from './selected.ts'

/** @throws GatewayError BAD_USER_INPUT for sizes out of range, both sizes at once, or a foreign cursor. */
function toPageRequest(
  { first, last, after, before }: DefaultConnectionArguments,
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

interface Which<Variant> {
  readonly parentId?: string
  readonly variant: Variant
  /** The field that the list is ordered by. */
  readonly by?: string
  /** Of the field that shows it: a page of which nothing is selected is not read. Absent: it is read. */
  readonly info?: GraphQLResolveInfo
}

/** What a connection answers without its page. None of these has fields below it. */
const OF_THE_LIST = ['totalCount', 'totalCountIsExact', '__typename']

/**
 * A Relay connection to the entities of a list, or to what lies behind them. The same page of several parents is one
 * statement, and so are their counts.
 */
export async function connect<Entity, Variant, Node = Entity>(
  context: Context,
  args: DefaultConnectionArguments,
  list: List<Entity, Variant>,
  { parentId = NO_PARENT, variant, by = 'CREATED_AT', info }: Which<Variant>,
  toNode: (entity: Entity) => Node = (entity) => entity as Entity & Node,
) {
  const key = by === 'CREATED_AT' ? 'instant' : 'text'
  const cursors = new Cursors([list.field, parentId, variant], key)
  const request = toPageRequest(args, cursors)
  // What is audited is who is on it.
  const selected = info && context.trail === undefined ? namesBelow(info) : undefined
  const without = selected && list.without(selected)
  const isRead = !selected || [...selected].some((name) => !OF_THE_LIST.includes(name))
  const page = isRead
    ? await list.pages(context, { variant, page: { ...request, without } }).load(parentId)
    : undefined
  const items = await inTurn(context, page?.items ?? [])
  const edges = items.map(
    ({ entity, position }) => new Edge(cursors, position, entity, toNode(entity)),
  )
  return {
    edges,
    pageInfo: new PageInfo(edges, page),
    total: async () => (await list.counts(context, variant).load(parentId)) ?? EMPTY,
  }
}

/*
 * Most clients select few cursors or none, so each is made when it is asked for. These are classes, because an object
 * literal with a getter has a hidden class of its own each time, which holds on to the whole page until the old generation
 * is collected.
 */

class PageInfo {
  readonly #edges: readonly { readonly cursor: string }[]
  readonly #page: Page<unknown> | undefined

  constructor(edges: readonly { readonly cursor: string }[], page: Page<unknown> | undefined) {
    this.#edges = edges
    this.#page = page
  }

  get hasNextPage(): boolean {
    return read(this.#page?.hasNextPage)
  }

  get hasPreviousPage(): boolean {
    return read(this.#page?.hasPreviousPage)
  }

  get startCursor(): string | null {
    return this.#edges[0]?.cursor ?? null
  }

  get endCursor(): string | null {
    return this.#edges.at(-1)?.cursor ?? null
  }
}

function read(value: boolean | undefined): boolean {
  if (value === undefined) throw new Error('This page was read without what lies around it.')
  return value
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

const EMPTY: Count = { count: 0, isExact: true }

export function defineConnections(builder: Builder) {
  builder.globalConnectionFields((t) => ({
    totalCount: t.int({
      nullable: true,
      description:
        'How many entries the whole list has; see `totalCountIsExact`. Counted only when selected.',
      resolve: async (connection) => (await connection.total()).count,
    }),
    totalCountIsExact: t.boolean({
      nullable: true,
      description:
        'Whether `totalCount` is all of them. If not, the list is long, and has at least as many: show for example `5,000+`.',
      resolve: async (connection) => (await connection.total()).isExact,
    }),
  }))
}
