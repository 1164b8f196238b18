import { expect, test } from 'vitest'
import { Turns } from '../../src/operation/turns.ts'
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
