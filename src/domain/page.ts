/** A place in a list: the value of the column it is ordered by, as text exact to what PostgreSQL stores, then the id. */
export interface Position {
  readonly value: string
  readonly id: string
}

export interface PageRequest {
  /** 1 to 100. */
  readonly size: number
  /** Which end of the list (or of the part between `after` and `before`) the page is taken from. */
  readonly from: 'start' | 'end'
  readonly after?: Position | undefined
  readonly before?: Position | undefined
}

export interface Page<Item> {
  /** In list order, whichever end the page was taken from. */
  readonly items: readonly Item[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
}

export const emptyPage: Page<never> = { items: [], hasNextPage: false, hasPreviousPage: false }
