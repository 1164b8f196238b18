import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { type BetterAuths, startBetterAuths, type Verdict } from './support/better-auths.ts'
import { isPropertyOfAll, type Standing, withoutBadParts } from './support/clean-twin.ts'
import {
  createHostileWorld,
  type HostileWorld,
  insertMembers,
  insertOrganizations,
  malformed,
  type StoredRole,
} from './support/hostile-world.ts'
import { type PermissionGateway, startPermissionGateway } from './support/permission-gateway.ts'
import { actionOf, isDynamic, type RoleSet, resourceOf, roleSets } from './support/role-sets.ts'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const sets = roleSets(24, seed)
const CASES_PER_SET = 100
const PEOPLE = 16
const properties = ['constructor', 'toString', '__proto__']
/** How many requests Better Auth is sent at the same time. */
const AT_ONCE = 16

interface Case {
  readonly person: Person
  readonly organizationId: string
  readonly resource: string
  readonly action: string
}

describe(`with SEED=${seed}`, () => {
  let identity: Identity
  let services: ServiceIssuer
  let betterAuths: BetterAuths
  let gateways: ReadonlyMap<RoleSet, PermissionGateway>
  let world: HostileWorld
  let people: readonly Person[]
  /** Asks in organizations that are made for one question. */
  let asking: Person

  beforeAll(async () => {
    identity = await startIdentity()
    services = await startServiceIssuer()
    people = await Promise.all(
      Array.from({ length: PEOPLE }, (_, index) => identity.signUp(`Person ${index}`)),
    )
    asking = await identity.signUp('Asking')
    world = await createHostileWorld(identity, people, { organizations: 40, seed })
    betterAuths = await startBetterAuths({
      databaseUrl: identity.ownerUrl,
      secret: identity.betterAuth.secret,
      roleSets: sets,
    })
    const started = sets.map(
      async (set) => [set, await startPermissionGateway(identity, services, set)] as const,
    )
    gateways = new Map(await Promise.all(started))
  })

  afterAll(async () => {
    await Promise.all([...gateways.values()].map((gateway) => gateway.close()))
    await betterAuths.stop()
    await services.stop()
    await identity.stop()
  })

  describe('the gateway answers what has-permission answers with', () => {
    const counted = { cases: 0, granted: 0, failures: 0, duplicates: 0, crowded: 0 }

    test.each(sets.map((set) => [set.name, set] as const))('%s', async (_name, set) => {
      const cases = randomCases(set)
      const [verdicts, answers] = await Promise.all([
        inParallel(cases, (each) => askBetterAuth(set, each)),
        askGateway(set, cases),
      ])
      const expected = await inParallel(cases, async (each, index) => {
        const verdict = verdicts[index] ?? 'failed'
        return isOrdinary(set, each, verdict) ? verdict === true : askAboutTwins(set, each)
      })
      const differences = cases.flatMap(({ person, ...each }, index) =>
        answers[index] === expected[index]
          ? []
          : [
              {
                ...each,
                memberships: world.memberships(person, each.organizationId),
                rows: world.organizations.get(each.organizationId)?.slice(0, 8),
                roles: set.roles,
                betterAuth: verdicts[index],
                expected: expected[index],
                gateway: answers[index],
              },
            ],
      )
      expect(differences).toEqual([])
      counted.cases += cases.length
      counted.granted += answers.filter(Boolean).length
      counted.failures += verdicts.filter((verdict) => verdict === 'failed').length
      counted.duplicates += cases.filter((each) => columnsOf(each).length > 1).length
      counted.crowded += cases.filter((each) => rowsOf(set, each).length > 100).length
    })

    test('in so many cases of every kind', () => {
      process.stdout.write(
        `measured: SEED=${seed}, ${sets.length} role sets, ${JSON.stringify(counted)}\n`,
      )
      expect(counted.cases).toBeGreaterThan(2000)
      expect(counted.granted / counted.cases).toBeGreaterThan(0.1)
      for (const count of Object.values(counted)) expect(count).toBeGreaterThan(20)
    })
  })

  describe('the differences that are documented exist:', () => {
    const set = sets.find(({ name }) => name === 'the demo, dynamic') ?? sets[0]
    const leave = { resource: 'leave', action: 'approve' }
    const approving: StoredRole = { role: 'clerk', permission: '{"leave":["approve"]}' }

    test.each(malformed)(
      'a row with %j refuses everyone there; here it grants nothing',
      async (bad) => {
        const rows = [approving, { role: 'member', permission: bad }]
        for (const [roles, allowed] of [
          ['owner', true],
          ['clerk', true],
          ['member', false],
        ] as const)
          expect(await ask({ roles, rows })).toEqual({ betterAuth: 'failed', gateway: allowed })
      },
    )

    test('a resource called constructor in a row refuses everyone there; here it is one like others', async () => {
      const rows = [{ role: 'clerk', permission: '{"constructor":["approve"]}' }]
      const question = { resource: 'constructor', action: 'approve' }
      for (const [roles, allowed] of [
        ['owner', false],
        ['clerk', true],
      ] as const)
        expect(await ask({ roles, rows }, question)).toEqual({
          betterAuth: 'failed',
          gateway: allowed,
        })
    })

    test.each(properties)(
      'a role %s refuses its holder there; here other roles decide',
      async (name) => {
        const failed = { betterAuth: 'failed', gateway: true }
        expect(await ask({ roles: `${name},approver`, rows: [] })).toEqual(failed)
        expect(await ask({ roles: name, rows: [] })).toEqual({ ...failed, gateway: false })
        const both = { betterAuth: true, gateway: true }
        expect(await ask({ roles: `approver,${name}`, rows: [] })).toEqual(both)
        expect(await ask({ roles: name, rows: [{ ...approving, role: name }] })).toEqual(both)
      },
    )

    test('a hundred rows count there; here all do', async () => {
      const rows = Array.from({ length: 150 }, (_, i) => ({ ...approving, role: `role-${i}` }))
      const id = await createOrganization({ roles: 'member', rows })
      const answers = []
      for (const { role } of rows) {
        await identity.sql('update members set role = $2 where organization_id = $1', [id, role])
        answers.push(await askIn(id, leave))
      }
      expect(answers.filter(({ gateway }) => gateway)).toHaveLength(150)
      expect(answers.filter(({ betterAuth }) => betterAuth === true)).toHaveLength(100)
    })

    test('of several memberships one counts there; here what all grant', async () => {
      const answers = []
      for (const columns of [
        ['approver', 'member'],
        ['member', 'approver'],
      ]) {
        const id = randomUUID()
        await insertOrganizations(identity, new Map([[id, []]]))
        const member = { organizationId: id, userId: asking.id }
        await insertMembers(
          identity,
          columns.map((role) => ({ ...member, role })),
        )
        answers.push(await askIn(id, leave))
        expect(await askIn(id, { resource: 'ac', action: 'read' })).toMatchObject({
          gateway: false,
        })
        await identity.sql(
          "update members set role = 'approver,auditor' where organization_id = $1 and role = 'member'",
          [id],
        )
        expect(await askIn(id, leave)).toEqual({ betterAuth: true, gateway: true })
      }
      expect(answers.map(({ gateway }) => gateway)).toEqual([false, false])
      expect(answers.map(({ betterAuth }) => betterAuth)).toContain(true)
    })

    test('the session of a banned user goes on there; here they may do nothing', async () => {
      const id = await createOrganization({ roles: 'approver', rows: [] })
      const ban = (until: string) =>
        identity.sql(
          'update users set banned = true, ban_expires = now() + $2::interval where id = $1',
          [asking.id, until],
        )
      try {
        for (const until of ['1 hour', null])
          expect(await ban(until ?? 'infinity').then(() => askIn(id, leave))).toEqual({
            betterAuth: true,
            gateway: false,
          })
        await ban('-1 second')
        expect(await askIn(id, leave)).toEqual({ betterAuth: true, gateway: true })
      } finally {
        await identity.sql('update users set banned = null, ban_expires = null')
      }
    })

    test.each(['constructor', 'nobody'])(
      'the missing subject %s may do nothing',
      async (userId) => {
        const organizationId = await createOrganization({ roles: 'approver', rows: [] })
        const permission = 'leave:approve'
        const checks = [
          { userId, organizationId, permission },
          { userId: asking.id, organizationId: userId, permission },
          { userId: asking.id, organizationId, permission },
        ]
        expect(await gatewayOf(set).check(checks)).toEqual([false, false, true])
      },
    )

    async function ask(standing: Standing, question = leave) {
      return askIn(await createOrganization(standing), question)
    }

    async function askIn(organizationId: string, question: typeof leave) {
      if (!set) throw new Error('There are no role sets.')
      const each = { person: asking, organizationId, ...question }
      const [gateway] = await askGateway(set, [each])
      return { betterAuth: await askBetterAuth(set, each), gateway }
    }
  })

  /** Better Auth answers these by itself; of the others its answer is a failure, or chance. */
  function isOrdinary(set: RoleSet, each: Case, verdict: Verdict): boolean {
    return verdict !== 'failed' && columnsOf(each).length < 2 && rowsOf(set, each).length <= 100
  }

  const columnsOf = ({ person, organizationId }: Case) => world.memberships(person, organizationId)

  const rowsOf = (set: RoleSet, { organizationId }: Case): readonly StoredRole[] =>
    isDynamic(set) ? (world.organizations.get(organizationId) ?? []) : []

  /**
   * What every membership of the pair grants, each alone in an organization of its own without the bad parts, by a
   * Better Auth that reads all roles of an organization.
   */
  async function askAboutTwins(set: RoleSet, each: Case): Promise<boolean> {
    const rows = rowsOf(set, each)
    const verdicts = await Promise.all(
      columnsOf(each).map((roles) => askAboutTwin(set, { roles, rows }, each)),
    )
    return verdicts.length > 0 && verdicts.every(Boolean)
  }

  async function askAboutTwin(set: RoleSet, standing: Standing, each: Case): Promise<boolean> {
    const clean = withoutBadParts(standing, set)
    const { resource, action } = each
    const organizationId = await createOrganization(clean)
    const question = { session: asking.session, organizationId, resource, action }
    const verdict = await betterAuths.hasPermissionByEveryRow(set, question)
    if (verdict !== 'failed') return verdict === true
    // A role that does not define this resource fails by its name, before others are asked: so each is asked alone.
    expect(isPropertyOfAll(resource)).toBe(true)
    const names = clean.roles.split(',')
    if (names.length === 1) return false
    const alone = await Promise.all(
      names.map((roles) => askAboutTwin(set, { ...clean, roles }, each)),
    )
    return alone.includes(true)
  }

  /** An organization in which `asking` has one membership. */
  async function createOrganization({ roles, rows }: Standing): Promise<string> {
    const id = randomUUID()
    await insertOrganizations(identity, new Map([[id, rows]]))
    await insertMembers(identity, [{ organizationId: id, userId: asking.id, role: roles }])
    return id
  }

  function randomCases(set: RoleSet): readonly Case[] {
    const pairs = fc.record({
      person: fc.constantFrom(...people),
      organizationId: fc.constantFrom(...world.organizations.keys(), 'nowhere'),
    })
    return fc.sample(
      pairs.chain((pair) => {
        const held = heldBy(set, pair.person, pair.organizationId)
        const questions = [
          { weight: 15, arbitrary: fc.tuple(resourceOf, actionOf) },
          { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...properties), actionOf) },
          ...(held.length > 0 ? [{ weight: 15, arbitrary: fc.constantFrom(...held) }] : []),
        ]
        return fc.oneof(...questions).map(([resource, action]) => ({ ...pair, resource, action }))
      }),
      { seed: seed + sets.indexOf(set), numRuns: CASES_PER_SET },
    )
  }

  /** Some of what is granted by roles that are named where this person's are, so that much is asked that is granted. */
  function heldBy(set: RoleSet, person: Person, organizationId: string): [string, string][] {
    const roles = world.memberships(person, organizationId).join(',')
    const statements = Object.entries(set.roles ?? {})
    for (const { role, permission } of world.organizations.get(organizationId) ?? [])
      if (!malformed.includes(permission)) statements.push([role, JSON.parse(permission)])
    return statements
      .filter(([role]) => role !== '' && roles.includes(role))
      .flatMap(([, granted]) => Object.entries(granted))
      .flatMap(([resource, actions]) =>
        actions.map((action): [string, string] => [resource, action]),
      )
      .filter(([resource, action]) => resource !== '' && !resource.includes(':') && action !== '')
  }

  function askBetterAuth(set: RoleSet, { person, ...question }: Case): Promise<Verdict> {
    return betterAuths.hasPermission(set, { ...question, session: person.session })
  }

  async function askGateway(set: RoleSet, cases: readonly Case[]): Promise<readonly boolean[]> {
    const checks = cases.map(({ person, organizationId, resource, action }) => ({
      userId: person.id,
      organizationId,
      permission: `${resource}:${action}`,
    }))
    return gatewayOf(set).check(checks)
  }

  function gatewayOf(set: RoleSet | undefined): PermissionGateway {
    const gateway = set && gateways.get(set)
    if (!gateway) throw new Error('There is no gateway for these roles.')
    return gateway
  }
})

async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}
