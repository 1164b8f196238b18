import { describe, expect, test } from 'vitest'
import { Pace, Turns } from '../../src/operation/turns.ts'
import { countTurns } from '../support/loop.ts'

test('what one page takes is taken at once, and much of it in turns of the loop, callers by turns', async () => {
  const turns = new Turns()
  const order: string[] = []
  const loops = countTurns()
  const take = async (share: string, entries: number, name: string) => {
    const turn = turns.take(share, entries)
    if (turn) await turn
    order.push(name)
  }
  const asked = [
    take('much', 50, 'm1'),
    take('much', 50, 'm2'),
    ...[3, 4, 5, 6].map((i) => take('much', 50, `m${i}`)),
    take('little', 10, 'l1'),
  ]
  expect(order).toEqual(['m1', 'm2', 'l1'])
  asked.push(take('other', 75, 'o1'), take('other', 75, 'o2'))
  await Promise.all(asked)
  expect(order).toEqual(['m1', 'm2', 'l1', 'o1', 'm3', 'm4', 'o2', 'm5', 'm6'])
  expect(loops()).toBeGreaterThanOrEqual(3)
})

test('a page that is larger than a turn may have goes by itself', async () => {
  const turns = new Turns()
  expect(turns.take('a', 1000)).toBeNull()
  const next = turns.take('a', 1)
  expect(next).not.toBeNull()
  await next
})

describe('those who rest', () => {
  const keepBusy = (milliseconds: number) => {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
  }

  test('leave as much time to others as a turn took', async () => {
    const turns = new Turns(() => true)
    expect(turns.take('a', 100)).toBeNull()
    keepBusy(40)
    const begun = performance.now()
    await turns.take('a', 100)
    expect(performance.now() - begun).toBeGreaterThan(35)
  })

  test('go on in the next turn of the loop while there are no others', async () => {
    const turns = new Turns(() => false)
    expect(turns.take('a', 100)).toBeNull()
    keepBusy(40)
    const loops = countTurns()
    await turns.take('a', 100)
    expect(loops()).toBeLessThanOrEqual(2)
  })

  test('begin nothing while they rest', async () => {
    const turns = new Turns(() => true)
    expect(turns.take('a', 100)).toBeNull()
    keepBusy(40)
    await new Promise((resolve) => setImmediate(resolve))
    expect(turns.take('b', 1)).toBeInstanceOf(Promise)
  })

  test('are those of heavy operations and of long documents that are new', async () => {
    const turns = { light: new Turns(), heavy: new Turns(() => true) }
    const of = (share: string, isHeavy: boolean) => new Pace(turns, { share, isHeavy })
    expect([of('a', false).take(100), of('b', true).take(100)]).toEqual([null, null])
    keepBusy(40)
    const order: string[] = []
    await Promise.all([
      of('b', true)
        .take(100)
        ?.then(() => order.push('heavy')),
      of('b', false)
        .takeToCheck(50)
        ?.then(() => order.push('long')),
      of('a', false)
        .take(100)
        ?.then(() => order.push('light')),
    ])
    expect(of('d', false).takeToCheck(5)).toBeNull()
    expect(order[0]).toBe('light')
    expect(order.toSorted()).toEqual(['heavy', 'light', 'long'])
  })
})
