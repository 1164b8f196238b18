import { expect, test } from 'vitest'
import type { Caller } from '../../src/domain/caller.ts'
import { CostBudget } from '../../src/http/budget.ts'
import { Admission } from '../../src/operation/admission.ts'
import { RequestScope, runIn } from '../../src/scope.ts'

function open() {
  const budget = new CostBudget({
    costPerMinute: 1_000_000,
    costPerMinuteOfServices: null,
    redis: null,
  })
  const admission = new Admission({
    most: 100,
    rate: null,
    budget,
    mayNotAsk: () => false,
    onShed: () => {},
  })
  const started: string[] = []
  const admit = (name: string, caller: Caller, points: number, before = 0) => {
    const address = '192.0.2.1'
    const scope = new RequestScope({ id: name, method: 'POST', path: '/graphql', address })
    scope.cost = before + points
    admission.enter(scope)
    return runIn(scope, () => admission.admit(scope, caller, points)).then((place) => {
      started.push(name)
      return place
    })
  }
  return { started, admit }
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
  void admit('in a batch', user('b'), 100, 900)
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
