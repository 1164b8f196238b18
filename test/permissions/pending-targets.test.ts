import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { InvalidationTarget } from '../../src/domain/invalidation.ts'
import { createPendingTargets } from '../../src/permissions/pending-targets.ts'

function pendingTargets(deliver: (users: readonly unknown[]) => Promise<void>, most = 1000) {
  const troubles: string[] = []
  let dropped = 0
  const pending = createPendingTargets({
    deliver: (targets) => deliver(targets.map(({ userId }) => userId)),
    intervalMs: 10,
    retryMs: 10,
    most,
    onTrouble: ({ message }) => troubles.push(message),
    onDropped: () => {
      dropped++
    },
  })
  const add = (...userIds: string[]) => {
    for (const userId of userIds) pending.add({ userId } satisfies InvalidationTarget)
  }
  return { pending, add, troubles, dropped: () => dropped }
}

test('the first is delivered at once, later ones together, each once', async () => {
  const deliveries: (readonly unknown[])[] = []
  const { add } = pendingTargets(async (users) => {
    deliveries.push(users)
  })
  add('a', 'b', 'b', 'c', 'b')
  expect(deliveries).toEqual([['a']])
  add('a')
  await expect.poll(() => deliveries).toEqual([['a'], ['b', 'c', 'a']])
  await setTimeout(50)
  add('d')
  expect(deliveries).toHaveLength(3)
})

test('what failed is tried again until it succeeds, and told once', async () => {
  let failures = 3
  const delivered: unknown[] = []
  const { add, troubles } = pendingTargets(async (users) => {
    if (failures-- > 0) throw new Error('Not now.')
    delivered.push(...users)
  })
  add('a', 'b')
  await expect.poll(() => delivered.toSorted()).toEqual(['a', 'b'])
  expect(troubles).toEqual(['Not now.'])
})

test('no more wait than are allowed, however long nothing can be delivered', async () => {
  let fails = true
  const delivered: unknown[] = []
  const { add, dropped, troubles } = pendingTargets(async (users) => {
    if (fails) throw new Error('Not now.')
    delivered.push(...users)
  }, 100)
  for (let i = 0; i < 1000; i++) add(`u${i}`)
  expect(dropped()).toBeGreaterThanOrEqual(899)
  expect(troubles).toHaveLength(1)
  fails = false
  await expect.poll(() => delivered.length).toBeGreaterThanOrEqual(100)
  expect(delivered).toContain('u999')
  expect(delivered).not.toContain('u500')
})

test('nothing is delivered after it was closed', async () => {
  const delivered: unknown[] = []
  const { pending, add } = pendingTargets(async (users) => {
    delivered.push(...users)
  })
  add('a', 'b')
  pending.close()
  add('c')
  await setTimeout(50)
  expect(delivered).toEqual(['a'])
})
