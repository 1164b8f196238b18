import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { BetterAuthView } from './differential/better-auth.ts'
import { readGateway, readSessionsOf } from './differential/gateway.ts'
import { leftOut } from './differential/intended.ts'
import {
  type Caller,
  callerNames,
  type Population,
  startPopulation,
} from './differential/population.ts'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

describe(`with SEED=${seed}`, () => {
  let population: Population
  let gateway: GatewayUnderTest
  const found = new Set<string>()

  beforeAll(async () => {
    population = await startPopulation(seed)
    gateway = gatewayFor(population.identity)
  })

  afterAll(async () => {
    await gateway.close()
    await population.identity.stop()
  })

  test.each(callerNames)('%s is shown what Better Auth shows', async (name) => {
    const { organizationIds } = population
    const caller = callerCalled(name)
    const expected = await betterAuthFor(caller).read(organizationIds, await teamIds())
    expect(await readGateway(gateway, await caller.jwt(), organizationIds)).toEqual(expected)
  })

  test('a platform admin is shown everybody’s sessions as Better Auth shows them', async () => {
    const admin = callerCalled(callerNames[1] ?? '')
    const token = await admin.jwt()
    for (const { id } of population.callers.values()) {
      const expected = await betterAuthFor(admin).readSessionsOf(id)
      expect(expected).not.toEqual([])
      expect(await readSessionsOf(gateway, token, id)).toEqual(expected)
    }
  })

  test('every difference that is intended exists', () => {
    const intended = Object.entries(leftOut).flatMap(([kind, keys]) =>
      Object.keys(keys).map((key) => `${kind}.${key}`),
    )
    expect([...found].sort()).toEqual(intended.sort())
  })

  test('where Better Auth cuts at a hundred, the gateway goes on', async () => {
    const { identity, callers } = population
    const [{ id } = { id: '' }] = callers.values()
    const joining = await identity.signUp('Joins Many')
    await identity.sql(
      `with made as (
         insert into organizations (id, name, slug, created_at)
           select 'many-' || n, 'Many ' || n, 'many-' || n, now() from generate_series(1, 103) n
           returning id
       )
       insert into members (id, organization_id, user_id, role, created_at)
         select id || '-' || user_id, id, user_id, 'member', now()
         from made, unnest(array[$1, $2]) user_id`,
      [joining.id, id],
    )
    const cut = await betterAuthFor(joining).read([], new Map())
    expect(cut.organizations).toHaveLength(100)
    const token = await joining.jwt()
    const page = async (after: string | null) => {
      const answer = await gateway.graphql(
        `query ($after: String) { viewer { organizations(first: 100, after: $after) {
           totalCount pageInfo { endCursor } nodes { id } } } }`,
        { token, variables: { after } },
      )
      return answer.data.viewer.organizations
    }
    const first = await page(null)
    const rest = await page(first.pageInfo.endCursor)
    const ids = [...first.nodes, ...rest.nodes].map((node: { id: string }) => node.id)
    expect(first.totalCount).toBe(103)
    expect(new Set(ids).size).toBe(103)
    const shownByBetterAuth = cut.organizations === 'refused' ? [] : cut.organizations
    expect(ids).toEqual(expect.arrayContaining(shownByBetterAuth.map((node) => node.id)))
  })

  function callerCalled(name: string): Caller {
    const caller = population.callers.get(name)
    if (!caller) throw new Error(`Nobody is called ${name}.`)
    return caller
  }

  function betterAuthFor(caller: Caller): BetterAuthView {
    return new BetterAuthView(population.identity.betterAuth.url, caller, found)
  }

  async function teamIds(): Promise<Map<string, readonly string[]>> {
    const rows = await population.identity.sql<{ id: string; teams: string[] }>(
      'select organization_id as id, array_agg(id) as teams from teams group by organization_id',
    )
    return new Map(rows.map(({ id, teams }) => [id, teams]))
  }
})
