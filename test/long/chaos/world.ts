import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startBetterAuth } from '../../../src/demo/better-auth.ts'
import { createReadOnlyRole } from '../../../src/demo/role.ts'
import { layout } from '../../support/layout.ts'
import { type PostgresProcess, startPostgresProcess } from '../../support/postgres-process.ts'
import { type ServiceIssuer, startServiceIssuer } from '../../support/tokens.ts'
import { History } from '../support/history.ts'

export interface Member {
  readonly userId: string
  readonly name: History<string>
  readonly role: History<string>
}

/** A company whose members change their names and roles all the time, in a PostgreSQL of its own. */
export interface World {
  readonly postgres: PostgresProcess
  readonly readOnlyUrl: string
  readonly issuer: string
  readonly services: ServiceIssuer
  readonly organizationId: string
  readonly members: readonly Member[]
  /** The one who asks, and a token good for hours. */
  readonly owner: { readonly userId: string; readonly token: string }
  readonly serviceToken: string
  /** As the superuser; fails while PostgreSQL is in trouble. */
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>
  /** Makes one change after the other until it is told to stop, through every trouble. */
  write(until: AbortSignal): Promise<number>
  remove(): Promise<void>
}

const MEMBERS = 30
const organizationId = 'acme'

export async function createWorld(): Promise<World> {
  const postgres = await startPostgresProcess()
  const services = await startServiceIssuer()
  const pool = new pg.Pool({
    connectionString: postgres.url,
    max: 2,
    application_name: 'writer',
    connectionTimeoutMillis: 2000,
    query_timeout: 2000,
  })
  pool.on('error', () => {})
  const betterAuth = await startBetterAuth({ databaseUrl: postgres.url, tokenLifetime: '3h' })
  const { response, headers } = await betterAuth.auth.api.signUpEmail({
    body: { name: 'Owner', email: 'owner@example.com', password: 'a long password' },
    returnHeaders: true,
  })
  const session = new Headers({ authorization: `Bearer ${headers.get('set-auth-token')}` })
  const { token } = await betterAuth.auth.api.getToken({ headers: session })
  const { issuer } = betterAuth
  await betterAuth.stop()
  await pool.query(people, [MEMBERS])
  await pool.query(
    `insert into members (id, organization_id, user_id, role, created_at) values ('m-owner', $1, $2, 'owner', now())`,
    [organizationId, response.user.id],
  )
  const members = Array.from({ length: MEMBERS }, (_, index) => ({
    userId: `user-${index + 1}`,
    name: new History(`User ${index + 1} v0`),
    role: new History('member'),
  }))
  const now = Math.floor(Date.now() / 1000)
  return {
    postgres,
    readOnlyUrl: await createReadOnlyRole(postgres.url, layout),
    issuer,
    services,
    organizationId,
    members,
    owner: { userId: response.user.id, token },
    serviceToken: await services.token(undefined, { exp: now + 10_800 }),
    sql: (text, values = []) => pool.query(text, [...values]),
    write: (until) => write(pool, members, until),
    remove: async () => {
      await pool.end()
      await services.stop()
      await postgres.remove()
    },
  }
}

const people = `
  with u as (
    insert into users (id, name, email, email_verified, created_at, updated_at)
      select 'user-' || i, 'User ' || i || ' v0', i || '@example.com', true, now(), now()
      from generate_series(1, $1::int) i returning id
  ), o as (
    insert into organizations (id, name, slug, created_at)
      values ('${organizationId}', 'Acme', 'acme', now()) returning id
  )
  insert into members (id, organization_id, user_id, role, created_at)
    select 'm-' || u.id, o.id, u.id, 'member', now() from u, o`

async function write(
  pool: pg.Pool,
  members: readonly Member[],
  until: AbortSignal,
): Promise<number> {
  let count = 0
  while (!until.aborted) {
    const member = members[count % members.length]
    if (!member) break
    count += 1
    // Whether a change that failed was made after all, nobody knows; so the same one is made until it is confirmed.
    const commit = (statement: string, value: string) => async () => {
      for (;;) {
        const done = await pool.query(statement, [value, member.userId]).catch(() => null)
        if (done?.rowCount === 1) return
        await sleep(50)
      }
    }
    if (count % 2 === 0) {
      const name = `${member.userId} v${count}`
      await member.name.change(name, commit('update users set name = $1 where id = $2', name))
    } else {
      const role = member.role.latest === 'member' ? 'admin' : 'member'
      const change = commit('update members set role = $1 where user_id = $2', role)
      await member.role.change(role, change)
    }
    await sleep(10)
  }
  return count
}
