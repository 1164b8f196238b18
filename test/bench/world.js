import { readFile, stat } from 'node:fs/promises'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import pg from 'pg'
import { startBetterAuth } from '../../dist/demo/better-auth.js'
import { startPostgres } from '../../dist/demo/postgres.js'
import { createReadOnlyRole } from '../../dist/demo/role.js'
import { createServiceIssuer } from '../../dist/demo/service-issuer.js'
import { loadNames, readLayout } from '../../dist/gateway.js'

/** What docs/indexes.md names for large organizations, of what the bench asks for. */
const indexes = ['members (organization_id, created_at, id)', 'members (organization_id, user_id)']

/** An organization that up to so many users have joined last of all. */
export const large = { id: 'x0', members: 100_000 }

/**
 * A real PostgreSQL and Better Auth with so many users, a tenth as many organizations and five times as many members:
 * everyone in five organizations, fifty in each; and a large organization. And people and a service who may ask.
 */
export async function createWorld(users, askers) {
  const postgres = await startPostgres({
    settings: {
      shared_buffers: users > 100_000 ? '1GB' : '256MB',
      max_connections: '200',
      jit: 'off',
    },
  })
  const services = await createServiceIssuer()
  const auth = await startBetterAuth({
    databaseUrl: postgres.url,
    documents: { '/services/jwks': services.jwks },
  })
  const database = new pg.Pool({ connectionString: postgres.url, max: 2 })
  database.on('error', () => {})
  await fill(database, users)
  const origin = auth.issuer
  const service = {
    issuer: `${origin}/services`,
    audience: origin,
    jwksUrl: `${origin}/services/jwks`,
  }
  const tokens = await signFor(database, users, askers, origin)
  return {
    databaseUrl: postgres.url,
    gatewayUrl: await createReadOnlyRole(postgres.url, readLayout(loadNames({}))),
    origin,
    service,
    serviceToken: await services.sign(service),
    /** `{ id, organization, token }` of users, with one of the organizations of each. */
    tokens,
    session: () => signIn(auth, database),
    /** How many statements PostgreSQL runs meanwhile, by its own log. */
    countStatements: (work) => countStatements(database, postgres.log, work),
    url: auth.url,
    stop: async () => {
      await database.end()
      await auth.stop()
      await postgres.stop()
    },
  }
}

async function countStatements(database, log, work) {
  const set = async (statement) => {
    await database.query(statement)
    await database.query('select pg_reload_conf()')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const { size } = await stat(log)
  await set("alter system set log_statement = 'all'")
  try {
    await work()
  } finally {
    await set('alter system reset log_statement')
  }
  const text = (await readFile(log)).subarray(size).toString()
  const own = /log_statement|pg_reload_conf/
  return text
    .split('\n')
    .filter((line) => /LOG: {2}(statement|execute)/.test(line) && !own.test(line)).length
}

async function fill(database, users) {
  const organizations = users / 10
  const statements = [
    'alter table members set unlogged',
    `insert into users (id, name, email, email_verified, created_at, updated_at)
     select 'u' || i, 'Person ' || i, 'p' || i || '@example.com', true,
       '2020-01-01'::timestamptz + i * interval '1 second', now() from generate_series(0, ${users - 1}) i`,
    `insert into organizations (id, name, slug, created_at)
     select 'o' || i, 'Organization ' || i, 'organization-' || i,
       '2020-01-01'::timestamptz + i * interval '1 second' from generate_series(0, ${organizations - 1}) i`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'm' || i, 'o' || i / 50, 'u' || (i::bigint * 7919 + i / ${users}) % ${users},
       case when i % 50 = 0 then 'owner' when i % 10 = 0 then 'admin' else 'member' end,
       '2021-01-01'::timestamptz + i * interval '1 second' from generate_series(0, ${users * 5 - 1}) i`,
    `insert into organizations (id, name, slug, created_at) values ('${large.id}', 'Large', 'large', now())`,
    `insert into members (id, organization_id, user_id, role, created_at)
     select '${large.id}-' || i, '${large.id}', 'u' || i, 'member', '2025-01-01'::timestamptz + i * interval '1 second'
       from generate_series(0, ${Math.min(users, large.members) - 1}) i`,
    ...indexes.map((index) => `create index on ${index}`),
    ...['users', 'organizations', 'members'].map((table) => `vacuum analyze ${table}`),
  ]
  for (const statement of statements) await database.query(statement)
}

/** Tokens as Better Auth would sign them, by a key of the bench's own beside Better Auth's. */
async function signFor(database, users, askers, origin) {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  await database.query(
    `insert into jwks (id, public_key, private_key, created_at) values ('bench', $1, 'none', now())`,
    [JSON.stringify({ ...(await exportJWK(publicKey)), alg: 'EdDSA' })],
  )
  const step = Math.max(1, Math.floor(users / askers))
  const ids = Array.from({ length: Math.min(askers, users) }, (_, i) => `u${i * step}`)
  const { rows } = await database.query(
    `select user_id, min(organization_id) as id from members where user_id = any($1) group by 1`,
    [ids],
  )
  const organizations = new Map(rows.map((row) => [row.user_id, row.id]))
  return Promise.all(
    ids.map(async (id) => ({
      id,
      organization: organizations.get(id),
      token: await new SignJWT({ sub: id })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'bench' })
        .setIssuer(origin)
        .setAudience(origin)
        .setIssuedAt()
        .setExpirationTime('6h')
        .sign(privateKey),
    })),
  )
}

/** Someone with a session, in five organizations of their own. */
async function signIn({ auth }, database) {
  const { response, headers } = await auth.api.signUpEmail({
    body: { name: 'Bench', email: 'bench@example.com', password: 'a long password' },
    returnHeaders: true,
  })
  await database.query(
    `insert into members (id, organization_id, user_id, role, created_at)
     select 'bench' || i, 'o' || i, $1, 'admin', now() from generate_series(0, 4) i`,
    [response.user.id],
  )
  return { authorization: `Bearer ${headers.get('set-auth-token')}`, userId: response.user.id }
}
