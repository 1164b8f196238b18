import { expect, test } from 'vitest'
import { PacedLoader } from '../../src/access/paced-loader.ts'
import { Pace, Turns } from '../../src/operation/turns.ts'

function open(load: (keys: readonly number[]) => Promise<readonly (number | Error)[]>) {
  const turns = { light: new Turns(), heavy: new Turns() }
  const batches: number[] = []
  const loader = new PacedLoader<number, number>(
    async (keys) => {
      batches.push(keys.length)
      return load(keys)
    },
    new Pace(turns, { share: 'a', isHeavy: false }),
  )
  return { loader, batches }
}

const twice = async (keys: readonly number[]) => keys.map((key) => 2 * key)

/** Of these, how many have gone on in each turn of the event loop, while any have. */
async function turnsOf(waiting: readonly Promise<unknown>[]): Promise<number[]> {
  let done = 0
  for (const one of waiting)
    void one
      .catch(() => {})
      .then(() => {
        done += 1
      })
  const turns: number[] = []
  let before = 0
  while (done < waiting.length) {
    await new Promise((resolve) => setImmediate(resolve))
    if (done > before) turns.push(done - before)
    before = done
  }
  return turns
}

test.each([
  ['different things', (i: number) => i],
  ['one thing', () => 7],
])(
  'a thousand who ask for %s wait for one load, and go on a hundred at a time',
  async (_, keyOf) => {
    const { loader, batches } = open(twice)
    const asked = Array.from({ length: 1000 }, (_, i) => loader.load(keyOf(i)))
    const turns = await turnsOf(asked)
    expect(batches).toHaveLength(1)
    expect(Math.max(...turns)).toBeLessThanOrEqual(200)
    expect(turns.length).toBeGreaterThanOrEqual(5)
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 1000 }, (_, i) => 2 * keyOf(i)))
  },
)

test('a hundred go on at once', async () => {
  const { loader } = open(twice)
  expect(await turnsOf(Array.from({ length: 100 }, (_, i) => loader.load(i)))).toEqual([100])
})

test('what cannot be loaded is refused by turns as well', async () => {
  const { loader } = open(async (keys) => keys.map((key) => new Error(`no ${key}`)))
  const asked = Array.from({ length: 500 }, (_, i) => loader.load(i))
  expect(Math.max(...(await turnsOf(asked)))).toBeLessThanOrEqual(200)
  await expect(asked[499]).rejects.toThrow('no 499')
})
