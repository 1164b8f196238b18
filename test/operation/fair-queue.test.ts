import { expect, test } from 'vitest'
import { FairQueue, type FairQueueOptions } from '../../src/domain/fair-queue.ts'

function open(options: Partial<FairQueueOptions> = {}) {
  const queue = new FairQueue({
    capacity: 4,
    partOf: () => 1 / 2,
    mostWaiting: 100,
    full: 'Full.',
    ...options,
  })
  const started: string[] = []
  const enter = (owner: string, weight = 1, name = owner) => {
    const place = queue.enter(owner, weight)
    if (place.ready) void place.ready.then(() => started.push(name)).catch(() => {})
    else started.push(name)
    return place
  }
  return { queue, started, enter }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('one owner has no more than their share, also while nobody else is there', async () => {
  const { queue, started, enter } = open()
  const places = ['a1', 'a2', 'a3', 'a4'].map((name) => enter('a', 1, name))
  expect(started).toEqual(['a1', 'a2'])
  expect(queue.waiting).toBe(2)
  enter('b')
  await settled()
  expect(started).toEqual(['a1', 'a2', 'b'])
  places[0]?.leave()
  places[0]?.leave()
  await settled()
  expect(started).toEqual(['a1', 'a2', 'b', 'a3'])
})

test('who has least is next, and of several who was not served for the longest', async () => {
  const { started, enter } = open({ capacity: 1, partOf: () => 1 })
  const first = enter('a', 1, 'a1')
  const rest = [enter('a', 1, 'a2'), enter('a', 1, 'a3'), enter('b', 1, 'b1'), enter('c', 1, 'c1')]
  let running: { leave(): void } | undefined = first
  for (let step = 0; step < 4; step++) {
    running?.leave()
    await settled()
    running = rest[['a2', 'a3', 'b1', 'c1'].indexOf(started.at(-1) ?? '')]
  }
  expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3'])
})

test('what weighs more than the capacity runs, but alone', async () => {
  const { started, enter } = open({ capacity: 4, partOf: () => 1 })
  const heavy = enter('a', 10, 'heavy')
  enter('b')
  expect(started).toEqual(['heavy'])
  heavy.leave()
  await settled()
  expect(started).toEqual(['heavy', 'b'])
})

test('who no longer waits is passed over', async () => {
  const { queue, started, enter } = open({ capacity: 1, partOf: () => 1 })
  const first = enter('a')
  const gone = enter('b')
  enter('c')
  gone.leave()
  expect(queue.waiting).toBe(1)
  first.leave()
  await settled()
  expect(started).toEqual(['a', 'c'])
})

test('when too much waits, who waits for most is refused their dearest', async () => {
  const { queue, enter } = open({ capacity: 1, partOf: () => 1, mostWaiting: 10 })
  enter('a')
  const small = enter('a', 2)
  const dear = enter('a', 6)
  const other = enter('b', 3)
  const refused = await Promise.race(
    [dear, small, other].map(({ ready }) => ready?.catch((e) => e)),
  )
  expect(refused).toMatchObject({ code: 'UNAVAILABLE', message: 'Full.' })
  await expect(dear.ready).rejects.toBe(refused)
  expect(queue.waiting).toBe(2)
})

test('everybody is served in the end, and nothing is left over', async () => {
  const { queue } = open({ capacity: 3, partOf: () => 2 / 3, mostWaiting: 10_000 })
  let running = 0
  let most = 0
  const work = async (owner: string) => {
    const place = queue.enter(owner)
    if (place.ready) await place.ready
    most = Math.max(most, ++running)
    await settled()
    running--
    place.leave()
  }
  await Promise.all(Array.from({ length: 500 }, (_, i) => work(`owner ${i % 7}`)))
  expect(most).toBe(3)
  expect(queue.waiting).toBe(0)
  expect(queue.lightest(['owner 1', 'owner 2'])).toBe('owner 1')
})
