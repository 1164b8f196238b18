import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createUsedOnce } from '../../src/auth/used-once.ts'

const SECOND = 1000

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

test('a name is used once, for longer than a proof is taken, and then forgotten', async () => {
  const use = createUsedOnce(null)
  vi.advanceTimersByTime(80 * SECOND)
  expect([await use('a'), await use('b'), await use('a')]).toEqual([true, true, false])
  vi.advanceTimersByTime(80 * SECOND)
  expect(await use('a')).toBe(false)
  vi.advanceTimersByTime(200 * SECOND)
  expect(await use('a')).toBe(true)
})

test('of two at once one is the first', async () => {
  const use = createUsedOnce(null)
  expect(await Promise.all([use('a'), use('a')])).toEqual([true, false])
})

test('what is full takes none until it has forgotten, and lets none be used again', async () => {
  const use = createUsedOnce(null, 2)
  expect([await use('a'), await use('b')]).toEqual([true, true])
  await expect(use('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await use('a')).toBe(false)
  vi.advanceTimersByTime(100 * SECOND)
  expect([await use('c'), await use('a')]).toEqual([true, false])
})

test('what gateways have in common decides, also when this process is full', async () => {
  const known = new Set<string>()
  let isAway = false
  const shared = async (name: string) =>
    isAway ? undefined : !known.has(name) && known.add(name) && true
  const [one, other] = [createUsedOnce(shared, 2), createUsedOnce(shared, 2)]
  expect([await one('a'), await other('a')]).toEqual([true, false])
  expect([await one('b'), await one('c'), await other('c')]).toEqual([true, true, false])
  isAway = true
  expect(await one('a')).toBe(false)
  await expect(one('d')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
