import { Redis } from 'ioredis'
import pg from 'pg'

/* What somebody who knows the stack would write by hand: loaders over statements of their own. */

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
pool.on('error', () => {})
const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true })
export const query = async (name, text, values) => (await pool.query({ name, text, values })).rows

export const schema = `
  type Query { user(id: ID!): User can(userId: ID!, organizationId: ID!, permission: String!): Boolean! }
  type User { id: ID! name: String! email: String! organizations(first: Int!): [Organization!]! }
  type Organization { id: ID! name: String! slug: String! members(first: Int!): [Member!]! }
  type Member { roles: [String!]! user: User! }`

const granted = {
  owner: ['member:create', 'member:update', 'member:delete'],
  admin: ['member:create', 'member:update', 'member:delete'],
  member: [],
}

async function permissionsOf(organizationId, userId) {
  const key = `permissions:${organizationId}:${userId}`
  const known = await redis.get(key)
  if (known) return JSON.parse(known)
  const rows = await query(
    'role',
    'select role from members where organization_id = $1 and user_id = $2',
    [organizationId, userId],
  )
  const permissions = rows
    .flatMap(({ role }) => role.split(','))
    .flatMap((role) => granted[role] ?? [])
  await redis.set(key, JSON.stringify(permissions), 'EX', 300)
  return permissions
}

export const resolvers = {
  Query: {
    user: async (_root, { id }) =>
      (await query('user', 'select id, name, email from users where id = $1', [id]))[0] ?? null,
    can: async (_root, { userId, organizationId, permission }) =>
      (await permissionsOf(organizationId, userId)).includes(permission),
  },
  Member: { roles: ({ role }) => role.split(',') },
}

export const loaders = {
  User: {
    async organizations(queries) {
      const ids = queries.map(({ obj }) => obj.id)
      const rows = await query(
        'organizations',
        `select asked.id as user_id, o.* from unnest($1::text[]) as asked (id) cross join lateral (
           select o.id, o.name, o.slug, m.created_at, m.id as member from members m
           join organizations o on o.id = m.organization_id
           where m.user_id = asked.id order by m.created_at, m.id limit $2) o order by o.created_at, o.member`,
        [ids, queries[0].params.first],
      )
      return grouped(rows, 'user_id', ids)
    },
  },
  Organization: {
    async members(queries) {
      const ids = queries.map(({ obj }) => obj.id)
      const rows = await query(
        'members',
        `select asked.id as organization_id, m.* from unnest($1::text[]) as asked (id) cross join lateral (
           select m.id, m.role, m.created_at, u.id as user_id, u.name, u.email from members m
           join users u on u.id = m.user_id
           where m.organization_id = asked.id order by m.created_at, m.id limit $2) m order by m.created_at, m.id`,
        [ids, queries[0].params.first],
      )
      const members = rows.map(({ organization_id, role, user_id: id, name, email }) => ({
        organization_id,
        role,
        user: { id, name, email },
      }))
      return grouped(members, 'organization_id', ids)
    },
  },
}

function grouped(rows, key, ids) {
  const groups = new Map(ids.map((id) => [id, []]))
  for (const row of rows) groups.get(row[key]).push(row)
  return ids.map((id) => groups.get(id))
}
