/** A place in a list: the value of what it is ordered by, as text exact to what PostgreSQL stores, then the id. */
export interface Position {
  readonly value: string
  readonly id: string
}

export type Direction = 'ASC' | 'DESC'

/** What a list is ordered by, ties by id in the same direction. */
export interface Order<Field extends string> {
  readonly field: Field
  readonly direction: Direction
}

export interface PageRequest {
  /** 1 to 100. */
  readonly size: number
  /** Which end of the list (or of the part between `after` and `before`) the page is taken from. */
  readonly from: 'start' | 'end'
  readonly after?: Position | undefined
  readonly before?: Position | undefined
  /** What nobody asks for of its entries, and need not be read. Absent: everything is. */
  readonly without?: readonly Omissible[] | undefined
}

/**
 * What a page may come without: the places of its entries, which may not be asked for then; whether there is more around it;
 * fields of a user who is listed, which are undefined then.
 */
export type Omissible = 'position' | 'more' | 'user.image' | 'user.email'

/** An entity at its place in a list. */
export interface Listed<Entity> {
  readonly entity: Entity
  readonly position: Position
}

export interface Page<Item> {
  /** In list order, whichever end the page was taken from. */
  readonly items: readonly Item[]
  /** `undefined`: the page is read without what lies around it. */
  readonly hasNextPage: boolean | undefined
  readonly hasPreviousPage: boolean | undefined
}

/** Pages of several parents, read together: every key that was asked for is in the answer. */
export type PagesByParent<Item> = ReadonlyMap<string, Page<Item>>

/** How many entries a list has: at least so many, when more rows would have to be looked at than one list may take. */
export interface Count {
  readonly count: number
  readonly isExact: boolean
}
export type CountsByParent = ReadonlyMap<string, Count>
