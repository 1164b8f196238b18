import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asRoles } from '../../src/demo/access-control.ts'
import { codesOf } from '../support/codes.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { answer, asking, gatewayOver } from './layouts/answers.ts'
import { type Case, cases, house } from './layouts/cases.ts'
import { type Prepared, prepare } from './layouts/prepare.ts'

// Columns without a time zone hold what the writer's clock shows: Better Auth over Drizzle and Prisma writes UTC.
process.env.TZ = 'UTC'

let services: ServiceIssuer
let expected: Readonly<Record<string, unknown>>
let expectedFiles: ReadonlyMap<string, string>
let prepared: Prepared
let gateway: GatewayUnderTest

beforeAll(async () => {
  services = await startServiceIssuer()
  await open(house)
  expected = await answer(await asking(prepared, gateway, services), () => true)
  expectedFiles = await prepared.project.generate()
  await close()
})
afterAll(() => services.stop())

async function open(it: Case): Promise<void> {
  prepared = await prepare(it)
  gateway = gatewayOver(prepared, services)
}

async function close(): Promise<void> {
  await gateway.close()
  await prepared.stop()
}

test('the questions are about something', () => {
  expect(expected).toMatchObject({
    'a platform admin lists users': {
      data: { users: { totalCount: 5, nodes: [{ name: 'Ada', role: 'admin' }, {}, {}] } },
    },
    'filters of users': {
      data: {
        banned: { nodes: [{ name: 'Dan' }, { name: 'Eve' }] },
        search: { nodes: [{ name: 'Cleo' }] },
        byUsername: { nodes: [{ name: 'Bob' }] },
        byEmail: { nodes: [{ name: 'Eve' }] },
      },
    },
    'a user by e-mail, in any case': { data: { userByEmail: { name: 'Ada' } } },
    'ids that do not fit are nobody': {
      data: { user: null, usersByIds: Array(11).fill(null) },
      codes: {},
    },
    'a banned user has no say': { codes: { viewer: 'UNAUTHENTICATED' } },
    'one sees everything of oneself': {
      data: { viewer: { username: 'bobby', sessions: { totalCount: 1 } } },
    },
    'filters of members': {
      data: {
        organization: {
          roles: { nodes: [{ user: { name: 'Bob' } }, { user: { name: 'Dan' } }] },
          permission: { totalCount: 3 },
          member: null,
        },
      },
    },
    'invitations of an organization': {
      data: { organization: { invitations: { totalCount: 2 } } },
    },
    'invitations to the creator role are for creators': {
      data: { organization: { invitations: { totalCount: 1 } } },
    },
    'invitations received': {
      data: { viewer: { receivedInvitations: { nodes: [{ organizationName: 'Beta' }] } } },
    },
    'teams and their members': {
      data: { organization: { teams: { totalCount: 2 }, viewerTeams: [{ name: 'Blue' }] } },
    },
  })
  for (const [name, walked] of Object.entries(expected))
    if (name.endsWith(', walked')) {
      const { size, forwards, isReverse } = walked as {
        size: number
        forwards: unknown[]
        isReverse: boolean
      }
      expect([name, forwards.length, isReverse]).toEqual([name, size, true])
    }
})

describe.each(Object.entries(cases))('%s', (_, it) => {
  const hasOrganizations = it.organizations !== false
  const inCommon = (answer: unknown) => (it.serial ? numbered(answer) : answer)
  beforeAll(() => open(it))
  afterAll(close)

  test('answers as the house layout does', async () => {
    if (it.serial) expect(Number(prepared.world.ids.Ada)).toBeGreaterThan(0)
    const asked = hasOrganizations
      ? () => true
      : (question: object) => !('organizations' in question)
    const answers = await answer(await asking(prepared, gateway, services), asked)
    expect(Object.keys(answers).length).toBeGreaterThan(5)
    for (const [name, given] of Object.entries(answers))
      expect({ [name]: inCommon(given) }).toEqual({ [name]: inCommon(expected[name]) })
  })

  test('gives the same types, and they compile', async () => {
    const files = await prepared.project.generate()
    const differing = [...expectedFiles].filter(([file, text]) => files.get(file) !== text)
    expect(differing.map(([file]) => file)).toEqual(['internal/class.ts'])
    await compile(dirname(prepared.project.schemaPath))
  })

  if (it.adapter)
    test('the tables are of the kinds that the adapter makes', async () => {
      const types = await prepared.database.sql<{ type: string }>(
        `select distinct data_type as type from information_schema.columns where table_schema = 'public' order by 1`,
      )
      expect(types.map(({ type }) => type)).toEqual([
        'USER-DEFINED',
        'boolean',
        'integer',
        'text',
        'timestamp without time zone',
        'uuid',
      ])
    })

  test('whose session it is, the function of the owner says', async () => {
    const token = prepared.world.sessions.Bob
    const { data } = await gateway.graphql('{ viewer { name } }', { token })
    expect(data).toEqual({ viewer: { name: 'Bob' } })
  })

  if (!hasOrganizations)
    test('what the database lacks is not in the graph', async () => {
      const answered = await gateway.graphql('{ organizations { totalCount } }')
      expect(Object.values(codesOf(answered))).toEqual(['GRAPHQL_VALIDATION_FAILED'])
    })
  else
    test('the triggers of the owner tell of changes', async () => {
      const { auth, world, database } = prepared
      const listener = new pg.Client(database.url)
      await listener.connect()
      await listener.query('listen identity_gateway_invalidate')
      const told = once(listener, 'notification')
      const [memberId = '', organizationId = ''] = [world.ids['Cleo of Acme'], world.ids.Acme]
      await auth.api.updateMemberRole({
        body: { memberId, organizationId, role: asRoles(['auditor']) },
        headers: world.headers.Ada ?? new Headers(),
      })
      const [{ payload }] = await told
      expect(JSON.parse(payload)).toEqual({ users: [world.ids.Cleo] })
      await listener.end()
    })
})

/** With each id as the number of its row, and without cursors, which hold ids. */
function numbered(answer: unknown): unknown {
  const text = JSON.stringify(answer, (key, value) => (/cursor$/i.test(key) ? undefined : value))
  return JSON.parse(text.replaceAll(/00000000-0000-4000-8000-0*(\d+)/g, '$1'))
}

/** The generated client, by the options of this project. */
async function compile(folder: string): Promise<void> {
  const root = join(import.meta.dirname, '../..')
  const config = join(folder, '../tsconfig.json')
  const include = ['src/postgres/generated']
  const compilerOptions = { rootDir: '.', typeRoots: ['node_modules/@types'] }
  await writeFile(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include }),
  )
  await promisify(execFile)(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    config,
  ])
}
