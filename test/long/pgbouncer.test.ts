import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { settingStatements } from '../../src/layout/owner-sql.ts'
import { runCli, startServing } from '../support/cli.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { createSmallWorld, runSuite, type SmallWorld } from '../support/suite.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { type PgBouncer, startPgBouncer } from './support/pgbouncer.ts'

/* PgBouncer in transaction mode between the gateway and a database whose own time zone is not UTC. */

let identity: Identity
let world: SmallWorld
let services: ServiceIssuer
let pooler: PgBouncer
let throughUrl: string
const gateways: GatewayUnderTest[] = []

beforeAll(async () => {
  identity = await startIdentity()
  await identity.sql(`alter database ${identity.database.name} set timezone = 'America/New_York'`)
  world = await createSmallWorld(identity)
  services = await startServiceIssuer()
  pooler = await startPgBouncer(identity.readOnlyUrl, ['ignore_startup_parameters = options'])
  throughUrl = pooler.through(identity.readOnlyUrl)
})

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close()
})

afterAll(async () => {
  await pooler.stop()
  await services.stop()
  await identity.stop()
})

function open(url: string, environment: Readonly<Record<string, string>> = {}): GatewayUnderTest {
  const gateway = gatewayFor(identity, {
    DATABASE_URL: url,
    DATABASE_PREPARED_STATEMENTS: 'off',
    DATABASE_POOL_SIZE: '20',
    ...services.environment,
    ...environment,
  })
  gateways.push(gateway)
  return gateway
}

async function answersOf(gateway: GatewayUnderTest) {
  const ask = gateway.graphql
  return runSuite(({ query, ...options }) => ask(query, options), world, await services.token())
}

test('every query has the same answer as without it, dates as well', async () => {
  const gateway = open(throughUrl)
  await gateway.verify()
  expect((await gateway.fetch(new Request('http://gateway/ready'))).status).toBe(200)
  const answers = await answersOf(gateway)
  expect(answers).toEqual(await answersOf(open(identity.readOnlyUrl)))
  const session = await identity.betterAuth.auth.api.getSession({ headers: world.bob.headers })
  expect(answers.viewer).toMatchObject({
    viewer: {
      createdAt: session?.user.createdAt.toISOString(),
      sessions: { nodes: [{ expiresAt: session?.session.expiresAt.toISOString() }] },
    },
  })
})

test('two gateways that prepare statements are answered rightly, and each says once that it stops', async () => {
  const prepare = { DATABASE_PREPARED_STATEMENTS: 'on', DATABASE_POOL_SIZE: '5' }
  const both = [open(throughUrl, prepare), open(throughUrl, prepare)]
  const expected = await answersOf(open(identity.readOnlyUrl))
  for (const _round of [1, 2, 3])
    for (const answers of await Promise.all(both.map(answersOf))) expect(answers).toEqual(expected)
  const token = await services.token()
  const people = [world.ada, world.bob]
  const ask = (i: number): GatewayUnderTest['graphql'] => (both[i % 2] as GatewayUnderTest).graphql
  // Another text each time, so that names would meet if they were counted.
  const names = await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      const fields = ['name', 'id', 'image', 'email'].filter((_field, bit) => (i >> bit) & 1)
      const query = `query ($id: ID!) { user(id: $id) { name ${fields.join(' ')} memberships(first: ${(i % 20) + 1}) { totalCount } } }`
      const { data } = await ask(i)(query, {
        token,
        variables: { id: people[(i >> 1) % 2]?.id },
      })
      return data?.user?.name
    }),
  )
  expect(names).toEqual(names.map((_, i) => people[(i >> 1) % 2]?.name))
  for (const gateway of both) {
    expect((await gateway.fetch(new Request('http://gateway/ready'))).status).toBe(200)
    const lines = gateway.logged.filter((line) => line.includes('DATABASE_PREPARED_STATEMENTS=off'))
    expect(lines).toHaveLength(1)
  }
})

test('readiness alone finds that sessions are shared, before anybody asks', async () => {
  const prepare = { DATABASE_PREPARED_STATEMENTS: 'on', DATABASE_POOL_SIZE: '5' }
  const both = [open(throughUrl, prepare), open(throughUrl, prepare)]
  const ready = () =>
    Promise.all(both.map((gateway) => gateway.fetch(new Request('http://gateway/ready'))))
  const told = () =>
    both.map(({ logged }) => logged.filter((line) => line.includes('STATEMENTS=off')).length)
  await expect
    .poll(
      async () => {
        for (const { status } of await ready()) expect(status).toBe(200)
        return told()
      },
      { timeout: 30_000, interval: 1100 },
    )
    .toEqual([1, 1])
})

test('doctor says that sessions are shared, and nothing of it without a pooler', async () => {
  const environment = (url: string) => ({
    DATABASE_URL: url,
    AUTH_ISSUER: identity.betterAuth.issuer,
    DATABASE_PREPARED_STATEMENTS: 'on',
  })
  const found = async (url: string) =>
    JSON.parse((await runCli(['doctor', '--json'], environment(url))).stdout).findings.filter(
      ({ check }: { check: string }) => check === 'pooler',
    )
  expect(await found(throughUrl)).toMatchObject([
    { level: 'warning', message: expect.stringContaining('DATABASE_PREPARED_STATEMENTS=off') },
  ])
  expect(await found(identity.readOnlyUrl)).toEqual([])
})

test('a thousand requests at once on three connections of PostgreSQL are each answered rightly', async () => {
  const gateway = open(throughUrl)
  const token = await services.token()
  const people = [world.ada, world.bob]
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      gateway.graphql('query ($id: ID!) { user(id: $id) { id name memberships { totalCount } } }', {
        token,
        variables: { id: people[i % 2]?.id },
      }),
    ),
  )
  for (const [i, { data, errors }] of answers.entries()) {
    expect(errors).toEqual([])
    expect(data.user).toMatchObject({ id: people[i % 2]?.id, name: people[i % 2]?.name })
  }
})

describe('writes', () => {
  const refusals = async (statements: readonly string[]) => {
    const client = new pg.Client(throughUrl)
    await client.connect()
    const codes: string[] = []
    for (const statement of statements)
      await client.query(statement).then(
        () => codes.push('done'),
        ({ code }) => codes.push(code),
      )
    await client.end()
    return codes
  }

  test('are refused, also in a transaction that wants to write', async () => {
    const write = `update users set name = 'x'`
    expect(await refusals([write, 'delete from members'])).toEqual(['25006', '25006'])
    expect(await refusals([`begin read write; ${write}`])).toEqual(['42501'])
    expect(await refusals(['select token from sessions'])).toEqual(['42501'])
  })
})

test('news of changes come by DATABASE_LISTEN_URL, past the pooler', async () => {
  const { stdout } = await runCli([
    'doctor',
    '--sql',
    '--role',
    new URL(identity.readOnlyUrl).username,
  ])
  await identity.sql(stdout)
  const gateway = open(throughUrl, {
    PERMISSION_EVENTS: 'postgres',
    DATABASE_LISTEN_URL: identity.readOnlyUrl,
  })
  const token = await services.token()
  const decision = async () => {
    const { data } = await gateway.graphql(
      `query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks) { allowed source } }`,
      {
        token,
        variables: {
          checks: [
            { permission: 'report:read', organizationId: world.acme.id, userId: world.bob.id },
          ],
        },
      },
    )
    return data.checkPermissions[0]
  }
  await vi.waitFor(
    async () => expect(await decision()).toEqual({ allowed: true, source: 'CACHE' }),
    10_000,
  )
  await identity.sql(`update members set role = 'member' where user_id = $1`, [world.bob.id])
  await vi.waitFor(async () => expect(await decision()).toMatchObject({ allowed: false }), 10_000)
  await identity.sql(`update members set role = 'clerk,member' where user_id = $1`, [world.bob.id])
})

describe('set up wrongly', () => {
  const environment = () => ({
    AUTH_ISSUER: identity.betterAuth.issuer,
    DATABASE_PREPARED_STATEMENTS: 'off',
  })

  test('without ignore_startup_parameters, a role that has the settings is served, and one that lacks them is not', async () => {
    const plain = await startPgBouncer(identity.readOnlyUrl)
    onTestFinished(() => plain.stop())
    const role = new URL(identity.readOnlyUrl).username
    const env = { ...environment(), DATABASE_URL: plain.through(identity.readOnlyUrl) }
    expect((await runCli(['doctor'], env)).code).toBe(0)
    await identity.sql(`alter role ${role} reset all`)
    await plain.reconnect()
    const refused = await runCli(['doctor'], env)
    for (const sql of settingStatements({ role, schema: 'public' })) await identity.sql(sql)
    expect(refused.code).toBe(1)
    expect(refused.stdout).toMatch(/ERROR .*a pooler that refuses the settings.*doctor --sql/)
  })

  test('that is listened through, doctor and the log of serve say that nothing arrives', async () => {
    const env = { ...environment(), DATABASE_URL: throughUrl, PERMISSION_EVENTS: 'postgres' }
    const serving = await startServing(env)
    await vi.waitFor(
      () =>
        expect(serving.lines.join('\n')).toMatch(
          /passes on nothing that is notified.*check DATABASE_LISTEN_URL/,
        ),
      10_000,
    )
    expect(await serving.signal('SIGTERM')).toBe(0)
    const ended = await runCli(['doctor'], env)
    expect(ended.stdout).toMatch(/ERROR .*does not arrive within a second.*DATABASE_LISTEN_URL/)
  })

  test('with a role that has not the settings, serve and doctor refuse, and the SQL of doctor mends it', async () => {
    const role = new URL(identity.readOnlyUrl).username
    await identity.sql(`alter role ${role} reset all`)
    const other = await startPgBouncer(identity.readOnlyUrl, [
      'ignore_startup_parameters = options',
    ])
    onTestFinished(() => other.stop())
    const env = { ...environment(), DATABASE_URL: other.through(identity.readOnlyUrl) }
    const refused =
      'the session is not read-only, the TimeZone of the session is America/New_York instead of UTC: let the owner'
    const served = await runCli(['serve'], { ...env, HOST: '127.0.0.1', PORT: '0' })
    expect({ code: served.code, told: served.stdout }).toEqual({
      code: 1,
      told: expect.stringContaining(refused),
    })
    const looked = await runCli(['doctor', '--json'], env)
    expect(looked.code).toBe(1)
    const { findings } = JSON.parse(looked.stdout) as {
      findings: { check: string; sql?: string }[]
    }
    const sql = findings.find(({ check }) => check === 'layout')?.sql ?? ''
    expect(sql).toBe(`${settingStatements({ role, schema: 'public' }).join(';\n')};`)
    await identity.sql(sql)
    await other.reconnect()
    const mended = await runCli(['doctor', '--json'], env)
    expect(mended.code, mended.stdout).toBe(0)
  })
})
