import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { identityGateway } from '../../../src/better-auth/better-auth-plugin.ts'
import { startBetterAuth } from '../../../src/demo/better-auth.ts'
import { createReadOnlyRole } from '../../../src/demo/role.ts'
import { changeTriggerStatements } from '../../../src/layout/change-trigger-sql.ts'
import { triggerStatements } from '../../../src/layout/trigger-sql.ts'
import { layout } from '../../support/layout.ts'
import { startPostgresProcess } from '../../support/postgres-process.ts'
import { startRedisProcess } from '../../support/redis-process.ts'
import { createSigner, startJwksServer, startServiceIssuer } from '../../support/tokens.ts'
import type { Client, Subscription } from './crowd.ts'

const USERS = 100
const ORGANIZATIONS = 20
const ISSUER = 'https://users.example.com'
const userIds = Array.from({ length: USERS }, (_, index) => `user-${index}`)
const organizationIds = Array.from({ length: ORGANIZATIONS }, (_, index) => `org-${index}`)
const organizationOf = (index: number) => organizationIds[index % ORGANIZATIONS] ?? ''

/**
 * A PostgreSQL and a Redis to be killed, with triggers in the one and announcements of the plug-in in the other, and people
 * who are changed all the time through Better Auth.
 */
export async function createChaosWorld() {
  const postgres = await startPostgresProcess()
  const redis = { current: await startRedisProcess() }
  const services = await startServiceIssuer()
  const signer = await createSigner('EdDSA', 'users')
  const jwks = await startJwksServer(signer.publicJwk)
  const plugin = identityGateway({ redisUrl: redis.current.url })
  const betterAuth = await startBetterAuth({ databaseUrl: postgres.url, plugins: [plugin] })
  const { api } = betterAuth.auth
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2, query_timeout: 2000 })
  pool.on('error', () => {})
  const { headers: signedUp, response } = await api.signUpEmail({
    body: { name: 'Owner', email: 'owner@example.com', password: 'a long password' },
    returnHeaders: true,
  })
  const headers = new Headers({ authorization: `Bearer ${signedUp.get('set-auth-token')}` })
  await pool.query(people(response.user.id))
  await pool.query(triggerStatements(layout, 'public').join(';\n'))
  await pool.query(changeTriggerStatements(layout, 'public').join(';\n'))
  const readOnlyUrl = await createReadOnlyRole(postgres.url, layout)
  const exp = Math.floor(Date.now() / 1000) + 10_800
  const tokenOf = async (sub: string) =>
    signer.sign({ iss: ISSUER, aud: ISSUER, sub, iat: exp - 10_800, exp })
  const tokens = new Map<string, string>()
  for (const id of userIds) tokens.set(id, await tokenOf(id))
  const serviceToken = await services.token('identity:read', { exp })

  const versions = new Map<string, number>()
  /** One change of something that nobody else is changing, until it is confirmed. */
  const change = async (clientsOf: (fact: string) => readonly Client[], busy: Set<string>) => {
    const index = Math.floor(Math.random() * USERS)
    const user = userIds[index] ?? ''
    const organization = organizationOf(index)
    const isOfUser = Math.random() < 0.8
    const what = Math.random() < 0.5 ? 'name' : 'role'
    const subject = isOfUser ? user : organization
    const fact = isOfUser ? `${user} ${what}` : `${organization} name`
    if (busy.has(subject)) return false
    busy.add(subject)
    const version = (versions.get(fact) ?? 0) + 1
    versions.set(fact, version)
    const isRole = fact.endsWith('role')
    const value = isRole ? (version % 2 === 0 ? 'member' : 'approver') : `${subject} v${version}`
    const make = () => {
      if (isRole)
        return api.updateMemberRole({
          body: { organizationId: organization, memberId: `m-${user}`, role: value },
          headers,
        })
      if (isOfUser)
        return api.adminUpdateUser({ body: { userId: user, data: { name: value } }, headers })
      return api.updateOrganization({
        body: { organizationId: organization, data: { name: value } },
        headers,
      })
    }
    for (;;) {
      for (const client of clientsOf(fact)) client.expect(fact, value)
      for (const client of clientsOf(subject)) client.expect(subject, null)
      // Whether a change that failed was made after all, nobody knows: it is made until it is confirmed.
      const done = await Promise.resolve(make()).then(
        () => true,
        () => false,
      )
      if (done) break
      await sleep(50)
    }
    for (const client of clientsOf(fact)) client.confirm(fact)
    for (const client of clientsOf(subject)) client.confirm(subject)
    busy.delete(subject)
    return true
  }

  return {
    ...{ postgres, redis, services, readOnlyUrl, change },
    owner: { userId: response.user.id, token: await tokenOf(response.user.id) },
    sql: (text: string, values: readonly unknown[] = []) => pool.query(text, [...values]),
    environment: {
      DATABASE_URL: readOnlyUrl,
      REDIS_URL: redis.current.url,
      AUTH_ISSUER: ISSUER,
      AUTH_JWKS: jwks.url,
      ...services.environment,
    },
    subscriptions: [
      ...userIds.map((id) => ofViewer(id, tokens.get(id) ?? '')),
      ...userIds
        .slice(0, 80)
        .map((id, index) => ofOrganization(organizationOf(index), id, tokens.get(id) ?? '')),
      ...Array.from({ length: 20 }, (_, index) => ofEverything(index, serviceToken)),
    ] satisfies Subscription[],
    /** What a subscription is told of. */
    factsOf(name: string): readonly string[] {
      const [kind, id = ''] = name.split(' ')
      if (kind === 'viewer') return [`${id} name`, `${id} role`]
      if (kind === 'access') return [...userIds, ...organizationIds]
      const members = userIds.filter((_, index) => organizationOf(index) === id)
      return [`${id} name`, ...members.map((member) => `${member} role`)]
    },
    async remove() {
      plugin.close()
      await betterAuth.stop()
      await pool.end()
      await jwks.stop()
      await services.stop()
      await redis.current.kill()
      await postgres.remove()
    },
  }
}

const people = (ownerId: string) => `
  insert into users (id, name, email, email_verified, created_at, updated_at)
    select 'user-' || i, 'user-' || i || ' v0', i || '@example.com', true, now(), now()
    from generate_series(0, ${USERS - 1}) i;
  update users set role = 'admin' where id = '${ownerId}';
  insert into organizations (id, name, slug, created_at)
    select 'org-' || i, 'org-' || i || ' v0', 'org-' || i, now() from generate_series(0, ${ORGANIZATIONS - 1}) i;
  insert into members (id, organization_id, user_id, role, created_at)
    select 'm-user-' || i, 'org-' || i % ${ORGANIZATIONS}, 'user-' || i, 'member', now()
    from generate_series(0, ${USERS - 1}) i;
  insert into members (id, organization_id, user_id, role, created_at)
    select 'o-' || id, id, '${ownerId}', 'owner', now() from organizations`

function ofViewer(id: string, token: string): Subscription {
  const query = `subscription { viewerChanged { kind viewer { name memberships { nodes { roles permissions } } } } }`
  return {
    name: `viewer ${id}`,
    asked: () => ({ query, token }),
    said: ({ kind, viewer }) => ({
      kind,
      values: new Map([
        [`${id} name`, viewer?.name],
        [`${id} role`, viewer?.memberships.nodes[0]?.roles.join()],
      ]),
    }),
  }
}

function ofOrganization(id: string, userId: string, token: string): Subscription {
  const query = `subscription ($id: ID!) { organizationChanged(id: $id) { kind organization {
    name members { nodes { user { id } roles } } } } }`
  return {
    name: `organization ${id} ${userId}`,
    asked: () => ({ query, variables: { id }, token }),
    said: ({ kind, organization }) => ({
      kind,
      values: new Map<string, string>([
        [`${id} name`, organization?.name],
        ...(organization?.members.nodes ?? []).map(
          (member: { user: { id: string }; roles: string[] }) =>
            [`${member.user.id} role`, member.roles.join()] as const,
        ),
      ]),
    }),
  }
}

function ofEverything(index: number, token: string): Subscription {
  const query = `subscription ($after: String) { accessChanged(after: $after) { kind userIds organizationIds resumeToken } }`
  return {
    name: `access ${index}`,
    asked: (after) => ({ query, variables: { after }, token }),
    said: ({ kind, userIds, organizationIds, resumeToken }) => ({
      kind,
      ids: kind === 'READ_AGAIN' ? null : new Set([...userIds, ...organizationIds]),
      resumeToken,
    }),
  }
}
