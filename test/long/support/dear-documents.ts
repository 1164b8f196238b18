import { pointsOf } from '../../support/cost.ts'
import type { Random } from '../../support/random.ts'

/** A field of a document, which may come many times. */
export interface Part {
  readonly kind: keyof typeof kinds
  /** Tells it from others of its kind, so that no two are the same question. */
  readonly salt: number
  readonly size: number
  readonly leaves: number
}

const userLeaves = ['name', 'image', 'email', 'createdAt', 'emailVerified', 'role', 'banned']
const leavesOf = (count: number) => ['id', ...userLeaves.slice(0, count)].join(' ')
const roles = (salt: number) => `roles: ["member", "r${salt}"]`
const letters = (salt: number) => `${(salt % 16).toString(16)}${(salt % 256).toString(16)}`
const members = (filter: string, rest: string) =>
  `organization(id: "o0") { members(${filter}) ${rest} }`

/** Whatever an ordinary member of a large organization may ask for, each in its dearest forms. */
const kinds = {
  nodes: ({ salt, size, leaves }: Part) =>
    members(
      `first: ${size}, filter: { ${roles(salt)} }`,
      `{ nodes { id roles user { ${leavesOf(leaves)} } } }`,
    ),
  edges: ({ salt, size }: Part) =>
    members(
      `last: ${size}, filter: { ${roles(salt)} }`,
      '{ edges { cursor node { id createdAt } } }',
    ),
  plain: ({ salt, size }: Part) =>
    members(
      `${salt % 2 ? 'first' : 'last'}: ${Math.min(size, 1 + (salt % 100))}, orderBy: { field: CREATED_AT, direction: ${salt % 4 < 2 ? 'ASC' : 'DESC'} }`,
      '{ nodes { id } }',
    ),
  permissions: ({ salt, size }: Part) =>
    members(`first: ${size}, filter: { ${roles(salt)} }`, '{ nodes { permissions } }'),
  fresh: ({ salt, size }: Part) =>
    members(
      `first: ${size}, filter: { ${roles(salt)} }`,
      '{ nodes { can(permission: "member:create", consistency: FRESH) } }',
    ),
  count: ({ salt }: Part) => members(`first: 1, filter: { ${roles(salt)} }`, '{ totalCount }'),
  search: ({ salt, size }: Part) =>
    members(`first: ${size}, filter: { search: "Person ${letters(salt)}" }`, '{ nodes { id } }'),
  countOfSearch: ({ salt }: Part) =>
    members(`first: 1, filter: { search: "Person ${letters(salt)}" }`, '{ totalCount }'),
  holders: ({ salt, size }: Part) =>
    members(
      `first: ${size}, filter: { permission: "member:create", ${roles(salt)} }`,
      '{ nodes { id } }',
    ),
  countOfHolders: ({ salt }: Part) =>
    members(`first: 1, filter: { permission: "a:b${salt}" }`, '{ totalCount }'),
  byName: ({ salt, size }: Part) =>
    `organization(id: "o${1 + (salt % 900)}") { members(first: ${size}, orderBy: { field: USER_NAME, direction: DESC }) { nodes { id } } }`,
  some: ({ salt, size }: Part) =>
    `usersByIds(ids: [${Array.from({ length: size }, (_, i) => `"u${salt * 100 + i}"`)}]) { id name }`,
  organizations: ({ size, leaves }: Part) =>
    `viewer { organizations(first: ${size}) { nodes { id name members(first: ${leaves * 4 + 1}) { nodes { user { id name } } } } } }`,
  memberships: ({ salt, size }: Part) =>
    members(
      `first: ${size}, filter: { ${roles(salt)} }`,
      '{ nodes { user { memberships(first: 5) { totalCount nodes { organization { name } } } } } }',
    ),
  checks: ({ salt, size }: Part) =>
    `checkPermissions(checks: [${Array.from({ length: Math.min(size, 40) }, (_, i) => `{ permission: "a:b", organizationId: "o${i}", userId: "u${salt + i}" }`)}]) { allowed roles }`,
}

export function randomPart(random: Random): Part {
  const names = Object.keys(kinds) as (keyof typeof kinds)[]
  return {
    kind: random.one(names) ?? 'nodes',
    salt: random.between(0, 999),
    size: random.one([1, 10, 20, 50, 100]) ?? 100,
    leaves: random.between(0, userLeaves.length),
  }
}

/** With some room for what is counted otherwise here. */
const MOST_TOKENS = 1950

/** As many of these parts, over and over, as one document may have. */
export function documentOf(parts: readonly Part[], most: number): string {
  const fields: string[] = []
  const text = () => `{ ${fields.join(' ')} }`
  for (let index = 0; index < 95; index++) {
    const part = parts[index % parts.length]
    if (!part) break
    fields.push(`a${index}: ${kinds[part.kind]({ ...part, salt: part.salt + index })}`)
    const query = text()
    const tokens = query.match(/\w+|"[^"]*"|[^\s\w,]/g)?.length ?? 0
    const tooLong = tokens > MOST_TOKENS
    if (tooLong || pointsOf(query) > most) {
      fields.pop()
      break
    }
  }
  return text()
}
