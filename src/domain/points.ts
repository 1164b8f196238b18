/**
 * What the cost of an operation is made of. A point is about what it takes to answer with one object: as much of the
 * process as a fiftieth of a usual small page takes. What PostgreSQL does is in the same unit, so that one request takes
 * at most some fifty times what a usual page takes of either. docs/internals.md says how that was measured.
 */
export const points = {
  /** An object of the answer; connections are no more than what is in them. */
  object: 1,
  leaf: 0.2,
  /** A leaf that may be null, often because it is not for everybody, which is found out for each. What asks for a permission weighs that instead. */
  nullableLeaf: 0.4,
  edge: 0.5,
  cursor: 0.5,
  /** What somebody may do: a look into the cache, or into the tables of members and roles. */
  permission: 3,
  /** A list, and its length, each once for its place in the document: all parents are one statement. */
  statement: 25,
  /** The page of one parent, and each of its entries as it is read. */
  page: 5,
  row: 1,
  /** `totalCount` of one parent: as many rows are looked at as LIMIT_ROWS allows. */
  count: 40,
  /** The same of what one person has, which is little. */
  countOfUser: 5,
  /** Entries of lists whose length only their rows say: of objects such as `accounts`, of values such as `permissions`. */
  objects: 20,
  values: 10,
  /** By argument and what is set in it: what it adds to a page, and to `totalCount`. */
  filters: {
    'filter.roles': { page: 75, count: 250 },
    'filter.search': { page: 2500, count: 1100 },
    'filter.permission': { page: 100, count: 300 },
    'orderBy.USER_NAME': { page: 250, count: 0 },
    'orderBy.USER_EMAIL': { page: 250, count: 0 },
    'orderBy.ROLE': { page: 250, count: 0 },
  } as Readonly<Record<string, { readonly page: number; readonly count: number }>>,
}
