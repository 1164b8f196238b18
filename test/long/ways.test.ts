import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { federatedGraph } from '../support/federated-graph.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import type { Identity } from '../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { type Asking, asking, environmentOf } from './layouts/answers.ts'
import { origin } from './layouts/better-auth.ts'
import { type Prepared, prepare } from './layouts/prepare.ts'
import { asked, everyAnswer } from './ways/answers.ts'
import { unasked } from './ways/coverage.ts'
import { everyColumn } from './ways/elsewhere.ts'
import { type Opened, ways } from './ways/ways.ts'

/*
 * The whole graph, asked through every way to a database that people have: whatever lies between, the answers are those
 * of a direct connection to the tables of PostgreSQL 18.
 */

// Columns without a time zone hold what the writer's clock shows.
process.env.TZ = 'UTC'

let services: ServiceIssuer
let prepared: Prepared
let tokens: Asking['tokens']
let environment: Readonly<Record<string, string>>
let expected: ReadonlyMap<string, string>
const texts = new Set<string>()

beforeAll(async () => {
  services = await startServiceIssuer()
  prepared = await prepare(everyColumn)
  await prepared.database.sql(FILLED)
  const file = join(dirname(prepared.project.schemaPath), 'access-control.json')
  await writeFile(file, JSON.stringify(accessControl))
  environment = {
    ...environmentOf(prepared, services),
    NODE_ENV: 'development',
    ACCESS_CONTROL_FILE: file,
    FEDERATION: 'on',
    LIMIT_COST: '1000000',
  }
  const gateway = open(environment)
  const direct = await asking(prepared, gateway, services)
  const cookie = encodeURIComponent(prepared.world.sessions.Bob ?? '')
  tokens = {
    ...direct.tokens,
    'Bob, by cookie': `better-auth.session_token=${cookie}`,
    'a service that reads': await services.token('identity:read'),
  }
  expected = await answersOf(gateway, (text) => texts.add(text))
  await gateway.close()
  for (const { sql = '' } of await findingsOf(environment))
    for (const statement of sql.split('\n')) await prepared.database.sql(statement)
})

afterAll(async () => {
  await prepared.stop()
  await services.stop()
})

/** So that no column is NULL in every row. */
const FILLED = `
  update users set image = 'i', display_username = name, phone_number = id, phone_number_verified = true,
    username = coalesce(username, lower(name)), ban_reason = 'spam', ban_expires = coalesce(ban_expires, '2020-01-01');
  update organizations set logo = 'l', metadata = coalesce(metadata, '{"plan":"free"}');
  update accounts set scope = 'openid,email';
  update sessions set ip_address = '192.0.2.1', user_agent = 'a', active_organization_id = (select id from organizations where slug = 'acme'),
    active_team_id = (select min(id) from teams), impersonated_by = (select id from users where name = 'Ada');
  update invitations set team_id = (select min(id) from teams);
  insert into invitations (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
    select state, organization_id, email, role, state, expires_at, created_at, inviter_id
    from (select * from invitations where organization_id = (select id from organizations where slug = 'acme') limit 1) as it,
      unnest('{accepted,canceled,rejected}'::text[]) as state`

function open(given: Readonly<Record<string, string>>): GatewayUnderTest {
  const { DATABASE_URL: readOnlyUrl } = given
  return gatewayFor({ readOnlyUrl, betterAuth: { issuer: origin } } as Identity, given)
}

function answersOf(gateway: GatewayUnderTest, onAsked?: (text: string) => void) {
  return everyAnswer({ prepared, gateway: asked(gateway, onAsked), tokens })
}

async function findingsOf(given: Readonly<Record<string, string>>) {
  const { findings } = await examine(given)
  return findings.filter(({ level }) => level !== 'info')
}

describe('the questions', () => {
  test('select every field, with every argument', () => {
    expect(unasked(federatedGraph(), texts)).toEqual([])
  })

  test('are about something: nothing that is asked for is empty for everybody', () => {
    expect(emptyForEverybody(expected)).toEqual([
      'ids that do not fit are nobody.user',
      'ids that do not fit are nobody.usersByIds.*',
      'ids of organizations that do not fit are nothing.organization',
      'ids of organizations that do not fit are nothing.fetch__Organization',
      'ids of organizations that do not fit are nothing.fetch__Member',
      'ids of organizations that do not fit are nothing.organizationBySlug',
      'filters of members.organization.member',
    ])
  })

  test('go to PostgreSQL 18, where nothing is the matter', async () => {
    expect(await prepared.database.sql('show server_version')).toMatchObject([
      { server_version: expect.stringMatching(/^18/) },
    ])
    expect(await findingsOf(environment)).toEqual([])
  })
})

describe.each(Object.entries(ways))('%s', (_, { open: prepareWay, proof, warnings = [] }) => {
  let way: Opened
  let given: Readonly<Record<string, string>>
  beforeAll(async () => {
    way = await prepareWay(prepared)
    given = { ...environment, ...way.environment }
  })
  afterAll(() => way.close())

  test('is the way that is gone', async () => {
    const client = new pg.Client(way.environment.DATABASE_URL)
    await client.connect()
    const { rows } = await client.query({ text: proof ?? 'select true', rowMode: 'array' })
    await client.end()
    expect(rows).toEqual([[true]])
  })

  test('gives the same answers', async () => {
    const gateway = open(given)
    await gateway.verify()
    const answers = await answersOf(gateway)
    await gateway.close()
    for (const [question, answer] of expected) expect(answers.get(question), question).toBe(answer)
  })

  test('leaves doctor with nothing to say but what is known', async () => {
    const findings = await findingsOf(given)
    const known = ({ level, message }: (typeof findings)[number]) =>
      level === 'warning' && warnings.some((beginning) => message.startsWith(beginning))
    expect(findings.filter((finding) => !known(finding))).toEqual([])
    for (const beginning of warnings)
      expect(findings.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(`^${beginning}`),
      )
  })
})

/** By the question, and by the names that lead to what is empty. */
function emptyForEverybody(answers: ReadonlyMap<string, string>): readonly string[] {
  const found = new Map<string, boolean>()
  const look = (place: string, value: unknown) => {
    const isSomething = value !== null && !(Array.isArray(value) && value.length === 0)
    found.set(place, isSomething || found.get(place) === true)
    if (Array.isArray(value)) for (const item of value) look(`${place}.*`, item)
    else if (value !== null && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) look(`${place}.${key}`, inner)
  }
  for (const [question, text] of answers)
    if (!question.endsWith(', walked'))
      look(question.replace(/, to .*/, ''), (JSON.parse(text) as { data: unknown }).data)
  return [...found].filter(([, isSomething]) => !isSomething).map(([place]) => place)
}
