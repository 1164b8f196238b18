import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { createHostileWorld, type HostileWorld } from '../long/support/hostile-world.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const CASES = 2000
const AT_ONCE = 40
const { gateway, identity, services, sql, ada, bob, carol, eve, root, acme, evil } = await world({
  own: true,
  environment: { LIMIT_COST: '1000000' },
})

interface Explanation {
  readonly decision: {
    readonly allowed: boolean
    readonly source: string
    readonly roles: string[]
  }
  readonly allowed: boolean
  readonly reason: string
  readonly member: boolean
  readonly active: boolean | null
  readonly rows: number
  readonly roles: readonly {
    readonly name: string
    readonly grants: boolean
    readonly source: string | null
    readonly row: number
    readonly permissions: readonly string[] | null
  }[]
  readonly grantedBy: readonly string[]
  readonly grantingRoles: readonly string[] | null
}

interface Case {
  readonly permission: string
  readonly organizationId: string
  readonly userId: string
}

const fields = `decision { allowed source roles ageSeconds } allowed reason member active rows readAt
  roles { name grants source row permissions } grantedBy grantingRoles`

async function explain(cases: readonly Case[], token?: string, consistency = 'FRESH') {
  const asked = cases.map(
    (one, i) =>
      `e${i}: explainPermission(permission: ${JSON.stringify(one.permission)}, organizationId: ${JSON.stringify(one.organizationId)}, userId: ${JSON.stringify(one.userId)}, consistency: ${consistency}) { ${fields} }`,
  )
  const answer = await gateway.graphql(`{ ${asked.join('\n')} }`, {
    token: token ?? (await services.token('permissions:check')),
  })
  return {
    ...answer,
    explained: cases.map((_, i) => answer.data?.[`e${i}`] as Explanation),
  }
}

async function explainAll(cases: readonly Case[]): Promise<readonly Explanation[]> {
  const all: Explanation[] = []
  for (let at = 0; at < cases.length; at += AT_ONCE) {
    const { explained, errors } = await explain(cases.slice(at, at + AT_ONCE))
    expect(errors).toEqual([])
    all.push(...explained)
  }
  return all
}

/** What somebody else makes of an explanation, who has nothing but its roles and what these grant. */
function evaluate({ member, active, rows, roles }: Explanation, permission: string): boolean {
  if (!member || active !== true) return false
  for (let row = 1; row <= rows; row++)
    if (!roles.some((role) => role.row === row && role.permissions?.includes(permission)))
      return false
  return rows > 0
}

/** The same from the tables, by the rules of docs/permissions.md and nothing of the gateway's. */
function evaluateStored(
  columns: readonly string[],
  stored: readonly { readonly role: string; readonly permission: string }[],
  isActive: boolean,
  permission: string,
): boolean {
  const colon = permission.indexOf(':')
  const [resource, action] = [permission.slice(0, colon), permission.slice(colon + 1)]
  const lists = (statements: unknown): boolean => {
    if (typeof statements !== 'object' || statements === null || Array.isArray(statements))
      return false
    const isWhole = Object.values(statements).every(
      (list) => Array.isArray(list) && list.every((one) => typeof one === 'string'),
    )
    const list = Object.entries(statements).find(([name]) => name === resource)?.[1]
    return isWhole && Array.isArray(list) && list.includes(action)
  }
  const grants = (name: string) =>
    Object.entries(accessControl.roles).some(([role, held]) => role === name && lists(held)) ||
    stored.some((row) => {
      try {
        return row.role === name && lists(JSON.parse(row.permission))
      } catch {
        return false
      }
    })
  const namesOf = (column: string) => column.split(',').map((name) => name.trim())
  return (
    isActive &&
    columns.length > 0 &&
    columns.every((column) => namesOf(column).some((name) => name !== '' && grants(name)))
  )
}

describe(`with SEED=${seed}`, () => {
  const people = Array.from({ length: 16 }, (_, i) => ({ id: `user-${i}` }))
  const banned = ['user-1', 'user-2']
  let hostile: HostileWorld
  let cases: readonly Case[]
  const counted = { cases: 0, granted: 0, flipped: 0, given: 0 }

  beforeAll(async () => {
    await sql(
      `insert into users (id, name, email, email_verified, created_at, updated_at)
         select 'user-' || i, 'User ' || i, i || '@example.com', true, now(), now()
         from generate_series(0, 15) i`,
    )
    hostile = await createHostileWorld(identity, people, { organizations: 14, seed })
    await sql('update users set banned = true where id = any($1)', [banned])
    const permission = fc.constantFrom(
      ...['leave:approve', 'leave:read', 'report:read', 'organization:update', 'ac:read'],
      ...['member:create', 'invitation:cancel', 'Leave:by:night', '7:*', 'unknown:read'],
    )
    cases = fc.sample(
      fc.record({
        permission,
        organizationId: fc.constantFrom(...hostile.organizations.keys(), 'nowhere'),
        userId: fc.constantFrom(...people.map(({ id }) => id), 'nobody'),
      }),
      { seed, numRuns: CASES },
    )
  })

  test('what is explained leads to the decision, by a second evaluator and by a third from the tables', async () => {
    const explained = await explainAll(cases)
    for (const [i, { permission, organizationId, userId }] of cases.entries()) {
      const explanation = explained[i] as Explanation
      const columns = hostile.memberships({ id: userId }, organizationId)
      const stored = hostile.organizations.get(organizationId) ?? []
      const isActive = people.some(({ id }) => id === userId) && !banned.includes(userId)
      const told = JSON.stringify({ permission, organizationId, userId, columns, explanation })
      expect(evaluate(explanation, permission), told).toBe(explanation.allowed)
      expect(explanation.decision.allowed, told).toBe(explanation.allowed)
      const expected = evaluateStored(columns, stored, isActive, permission)
      expect(explanation.allowed, told).toBe(expected)
      expect(explanation.reason === 'GRANTED', told).toBe(explanation.allowed)
      expect(explanation.rows, told).toBe(columns.length)
      expect(explanation.member, told).toBe(columns.length > 0)
      expect(explanation.active, told).toBe(columns.length > 0 ? isActive : null)
      for (const { name, grants, permissions, source } of explanation.roles) {
        expect(grants, told).toBe(permissions?.includes(permission))
        expect(explanation.grantedBy.includes(name), told).toBe(grants)
        expect(source === null, told).toBe(
          !(name in accessControl.roles && Object.hasOwn(accessControl.roles, name)) &&
            !stored.some(({ role }) => role === name),
        )
      }
      counted.cases += 1
      counted.granted += Number(explanation.allowed)
    }
  })

  test('without the roles that are named it is refused, and with one that would grant it, granted', async () => {
    const stored = (await sql(
      'select id, organization_id, user_id, role from members order by created_at, id',
    )) as unknown as readonly Record<'id' | 'organization_id' | 'user_id' | 'role', string>[]
    const set = (rows: readonly { readonly id: string; readonly role: string }[]) =>
      sql(
        'update members set role = new.role from unnest($1::text[], $2::text[]) as new (id, role) where members.id = new.id',
        [rows.map(({ id }) => id), rows.map(({ role }) => role)],
      )
    // In each round at most one case of a person in an organization, so that no change is in another's way.
    const rounds: Case[][] = []
    const seen = new Map<string, number>()
    for (const one of cases) {
      const pair = `${one.organizationId} ${one.userId}`
      const round = seen.get(pair) ?? 0
      seen.set(pair, round + 1)
      rounds[round] = [...(rounds[round] ?? []), one]
    }
    for (const round of rounds) {
      const before = await explainAll(round)
      const changes = round.flatMap((one, i) => {
        const told = before[i] as Explanation
        const rows = stored.filter(
          (row) => row.organization_id === one.organizationId && row.user_id === one.userId,
        )
        const [first] = rows
        const [role] = told.grantingRoles ?? []
        if (!first || told.active !== true) return []
        if (!told.allowed && role === undefined) return []
        const left = told.roles.filter(
          ({ name, row }) => row === 1 && !told.grantedBy.includes(name),
        )
        const changed = told.allowed
          ? [{ id: first.id, role: left.map(({ name }) => name).join(',') }]
          : rows.map(({ id, role: names }) => ({ id, role: `${names},${role}` }))
        return [{ one, told, rows, changed }]
      })
      await set(changes.flatMap(({ changed }) => changed))
      const after = await explainAll(changes.map(({ one }) => one))
      for (const [i, { one, told, rows }] of changes.entries()) {
        const { allowed, reason } = after[i] as Explanation
        expect({ ...one, allowed }).toEqual({ ...one, allowed: !told.allowed })
        if (told.allowed)
          expect(reason).toBe(rows.length === 1 ? 'NOT_GRANTED' : 'NOT_IN_EVERY_ROW')
        counted[told.allowed ? 'flipped' : 'given'] += 1
      }
      await set(changes.flatMap(({ rows }) => rows))
    }
  })

  test('in so many cases', () => {
    process.stdout.write(`measured: SEED=${seed}, explanations: ${JSON.stringify(counted)}\n`)
    expect(counted.cases).toBe(CASES)
    expect(counted.granted).toBeGreaterThan(CASES / 20)
    expect(counted.flipped).toBe(counted.granted)
    expect(counted.given).toBeGreaterThan(CASES / 20)
  })
})

describe('an explanation', () => {
  const about = (userId: string, permission = 'leave:approve'): Case => ({
    permission,
    organizationId: acme.id,
    userId,
  })

  test('tells of an older answer that it is older', async () => {
    const token = await services.token('permissions:check')
    const [before] = (await explain([about(carol.id)], token, 'CACHED')).explained
    expect(before).toMatchObject({ allowed: false, decision: { allowed: false } })
    await sql("update members set role = 'member,approver' where user_id = $1", [carol.id])
    const [after] = (await explain([about(carol.id)], token, 'CACHED')).explained
    expect(after).toMatchObject({
      decision: {
        allowed: false,
        source: 'CACHE',
        roles: ['member'],
        ageSeconds: expect.any(Number),
      },
      allowed: true,
      grantedBy: ['approver'],
    })
    await sql("update members set role = 'member' where user_id = $1", [carol.id])
  })

  test('tells whoever may not read roles which of theirs grant it, and not what else these do', async () => {
    await sql("update members set role = 'approver' where user_id = $1", [bob.id])
    const { explained, errors } = await explain([about(bob.id)], await bob.jwt())
    const [told] = explained
    expect(told).toMatchObject({
      allowed: true,
      roles: [{ name: 'approver', grants: true, permissions: null }],
      grantedBy: ['approver'],
      grantingRoles: null,
    })
    expect(errors.map(({ path, extensions: { code } }) => [path?.join('.'), code])).toEqual([
      ['e0.roles.0.permissions', 'FORBIDDEN'],
      ['e0.grantingRoles', 'FORBIDDEN'],
    ])
    await sql("update members set role = 'member,approver' where user_id = $1", [bob.id])
  })

  test('says of somebody elsewhere what is true of a stranger, whether they are there or not', async () => {
    const inEvil = (userId: string) => ({ ...about(userId), organizationId: evil.id })
    const { explained } = await explain(
      [inEvil(eve.id), inEvil(root.id), inEvil('nobody')],
      await ada.jwt(),
    )
    for (const told of explained)
      expect(told).toMatchObject({
        decision: { allowed: false, roles: [] },
        ...{ allowed: false, reason: 'NOT_A_MEMBER', member: false, active: null, rows: 0 },
        ...{ roles: [], grantedBy: [], grantingRoles: null },
      })
  })

  test('says of members alone whether their account is active', async () => {
    const { explained } = await explain(
      [about(carol.id), about(root.id), about('nobody')],
      await ada.jwt(),
    )
    expect(explained.map(({ active, member }) => [member, active])).toEqual([
      [true, true],
      [false, null],
      [false, null],
    ])
  })

  test('is read in one statement beside the decision, of however many', async () => {
    const token = await services.token('permissions:check')
    await explain([about(ada.id)], token)
    const statements = await recordStatements(identity.database.name, async () => {
      await explain([about(ada.id), about(bob.id), about(carol.id, 'report:read')], token)
    })
    expect(statements).toHaveLength(2)
  })
})
