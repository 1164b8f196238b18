import { describe, expect, test } from 'vitest'
import type { Caller } from '../../src/domain/caller.ts'
import { GatewayError } from '../../src/domain/errors.ts'
import type { RateLimit } from '../../src/domain/rate.ts'
import { CostBudget } from '../../src/http/budget.ts'
import { Admission } from '../../src/operation/admission.ts'
import { RequestScope, runIn } from '../../src/scope.ts'

function open({ costPerMinute = 1_000_000, rate = null as RateLimit | null } = {}) {
  const budget = new CostBudget({
    costPerMinute,
    costPerMinuteOfServices: null,
    redis: null,
  })
  const admission = new Admission({
    most: 100,
    rate,
    budget,
    mayNotAsk: () => false,
    onShed: () => {},
  })
  const started: string[] = []
  const scopeOf = (name: string) =>
    new RequestScope({ id: name, method: 'POST', path: '/graphql', address: '192.0.2.1' })
  const admit = (
    name: string,
    caller: Caller,
    points: number,
    { before = 0, scope = scopeOf(name) } = {},
  ) => {
    scope.cost = before + points
    admission.enter(scope)
    return runIn(scope, () => admission.admit(scope, caller, points)).then((place) => {
      started.push(name)
      return place
    })
  }
  return { started, admission, scopeOf, admit }
}

const user = (userId: string): Caller => ({ kind: 'user', userId })
const service: Caller = { kind: 'service', subject: 'leave', scopes: new Set() }
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('what is heavy waits among its like, and what is light for none of it', async () => {
  const { started, admit } = open()
  const first = await admit('a', user('a'), 10_000)
  const waiting = [admit('b', user('b'), 9000), admit('c', user('c'), 1000)]
  await admit('light', user('d'), 900)
  await admit('of a', user('a'), 500)
  await settled()
  expect(started).toEqual(['a', 'light', 'of a'])
  first.leave()
  const [second, third] = waiting
  ;(await second)?.leave()
  await third
  expect(started).toEqual(['a', 'light', 'of a', 'b', 'c'])
})

test('a light operation of a request that costs much in all is heavy', async () => {
  const { started, admit } = open()
  await admit('a', user('a'), 10_000)
  void admit('in a batch', user('b'), 100, { before: 900 })
  await settled()
  expect(started).toEqual(['a'])
})

test('services, which are trusted with any number of points, wait for nothing that is heavy', async () => {
  const { started, admit } = open()
  await admit('a', user('a'), 10_000)
  await admit('service', service, 5000)
  await admit('service again', service, 5000)
  expect(started).toEqual(['a', 'service', 'service again'])
})

describe('whoever has spent what they may', () => {
  const poor = async () => {
    const of = open({ costPerMinute: 1000 })
    await of.admit('all there is', user('a'), 100)
    return of
  }
  const refused = expect.objectContaining({
    extensions: expect.objectContaining({ code: 'RATE_LIMITED' }),
  })

  test('is told so after a while, no two after the same, and has no place meanwhile', async () => {
    const { admission, admit } = await poor()
    const held = admission.underWay
    const begun = performance.now()
    const waits = Array.from({ length: 5 }, async (_, nth) => {
      await expect(admit(`more ${nth}`, user('a'), 100)).rejects.toEqual(refused)
      return performance.now() - begun
    })
    await settled()
    expect(admission.underWay).toBe(held)
    const ms = (await Promise.all(waits)).toSorted((a, b) => a - b)
    expect(ms[0]).toBeGreaterThan(990)
    expect((ms[4] ?? 0) - (ms[0] ?? 0)).toBeGreaterThan(10)
  })

  test('is told so at once when there is no time left', async () => {
    const { scopeOf, admit } = await poor()
    const scope = scopeOf('in haste')
    const told = expect(admit('in haste', user('a'), 100, { scope })).rejects.toEqual(refused)
    await settled()
    scope.endEarly(new GatewayError('TIMEOUT', 'Too late.'))
    await told
  })

  test('also in requests of which a user may send so many', async () => {
    const rate = { ofAddress: async () => null, ofCaller: async () => 60 }
    const begun = performance.now()
    await expect(open({ rate }).admit('another', user('a'), 1)).rejects.toEqual(refused)
    expect(performance.now() - begun).toBeGreaterThan(990)
  })
})

test('it is known whether anything light is being executed', async () => {
  const { admission, admit } = open()
  const heavy = await admit('heavy', user('a'), 10_000)
  expect(admission.isServingLight).toBe(false)
  const light = await admit('light', user('b'), 10)
  heavy.leave()
  expect(admission.isServingLight).toBe(true)
  light.leave()
  expect(admission.isServingLight).toBe(false)
})
