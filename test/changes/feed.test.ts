import { setTimeout as sleep } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { ChangeFeed } from '../../src/changes/feed.ts'
import { Recent } from '../../src/changes/recent.ts'
import { decodePosition, encodePosition } from '../../src/changes/resume-token.ts'
import type { Change, ChangeStream } from '../../src/domain/changes.ts'

const clock = 'database'
const MARGIN_MS = 10_000

function recent(sinceMs = 0, untilMs = 100_000) {
  const made = new Recent()
  made.heard({ clock, sinceMs, untilMs })
  return made
}

describe('a token', () => {
  test('is what it was made of', () => {
    for (const position of [
      { clock, ms: 0 },
      { clock: 'a-b_C9', ms: 1_795_752_000_000 },
    ])
      expect(decodePosition(encodePosition(position))).toEqual(position)
  })

  test.each(['', 'x', ' ', 'ZGF0YWJhc2U', 'A'.repeat(300)])('is not %j', (text) => {
    expect(() => decodePosition(text)).toThrow('no resumeToken')
  })
})

describe('what was told lately', () => {
  test('is told again from a little before the token, and not from long before', () => {
    const made = recent()
    for (const ms of [100_000, 115_000, 130_000]) {
      made.heard({ clock, sinceMs: 0, untilMs: ms })
      made.add({ users: [`at ${ms}`] })
    }
    const users = (ms: number) => made.after({ clock, ms })?.map((notice) => notice?.users?.[0])
    expect(users(130_000)).toEqual(['at 130000'])
    expect(users(125_000)).toEqual(['at 115000', 'at 130000'])
    expect(users(50_000)).toEqual(['at 100000', 'at 115000', 'at 130000'])
    made.add(null)
    expect(made.after({ clock, ms: 135_000 })).toEqual([{ users: ['at 130000'] }, null])
  })

  test('is not known of another clock, from before it listened, nor from after now', () => {
    const made = recent(50_000)
    expect(made.after({ clock: 'another', ms: 100_000 })).toBeNull()
    expect(made.after({ clock, ms: 50_000 + MARGIN_MS - 1 })).toBeNull()
    expect(made.after({ clock, ms: 50_000 + MARGIN_MS })).toEqual([])
    expect(made.after({ clock, ms: 100_000 + MARGIN_MS })).toEqual([])
    expect(made.after({ clock, ms: 100_000 + MARGIN_MS + 1 })).toBeNull()
  })

  test('is forgotten when the source was away, and when it is another', () => {
    const made = recent()
    made.add({ users: ['u'] })
    made.forget()
    expect([made.token, made.after({ clock, ms: 100_000 })]).toEqual([null, null])
    made.add({ users: ['untold'] })
    made.heard({ clock, sinceMs: 200_000, untilMs: 200_000 })
    expect(made.after({ clock, ms: 100_000 })).toBeNull()
    expect(made.after({ clock, ms: 200_000 + MARGIN_MS })).toEqual([])
    made.heard({ clock: 'another', sinceMs: 0, untilMs: 300_000 })
    expect(made.after({ clock, ms: 200_000 + MARGIN_MS })).toBeNull()
  })

  test('is some 20,000 ids, and what is older is not known any more', () => {
    const made = recent()
    const ids = Array.from({ length: 999 }, (_, i) => `${i}`)
    for (let ms = 100_000; ms < 130_000; ms += 1000) {
      made.heard({ clock, sinceMs: 0, untilMs: ms })
      made.add({ users: ids })
    }
    expect(made.after({ clock, ms: 100_000 + MARGIN_MS })).toBeNull()
    expect(made.after({ clock, ms: 109_000 + MARGIN_MS })).toBeNull()
    expect(made.after({ clock, ms: 110_000 + MARGIN_MS })).toHaveLength(20)
  })
})

/** A feed that is told of changes, in which everybody is a member everywhere who is named so. */
function feedOf(findMembers = async (): Promise<readonly string[]> => []) {
  const asked: (readonly (readonly string[])[])[] = []
  const feed = new ChangeFeed({
    findMembers: (...of) => {
      asked.push(of)
      return findMembers()
    },
  })
  const now = Date.now()
  feed.heard({ clock, sinceMs: now, untilMs: now })
  return { feed, asked }
}

async function next(stream: ChangeStream): Promise<Change> {
  const { value } = await stream.next()
  if (!value) throw new Error('It is over.')
  return value
}

/** Whether nothing comes for as long as it takes to tell something; what comes later is thrown away. */
async function isQuiet(stream: ChangeStream): Promise<boolean> {
  return (await Promise.race([stream.next(), sleep(750)])) === undefined
}

/** Whoever counts objects collects first those that nobody holds. */
function heldBytes(): number {
  queryObjects(ChangeFeed, { format: 'count' })
  return process.memoryUsage().heapUsed
}

describe('the feed', () => {
  test('wakes whom a change is about, and nobody else', async () => {
    const { feed } = feedOf()
    const streams = {
      user: feed.open({ user: 'u' }),
      session: feed.open({ sessionsOf: 'u' }),
      organization: feed.open({ organization: 'o' }),
      everything: feed.open({ everything: true }),
      other: feed.open({ user: 'other', sessionsOf: 'other', organization: 'other' }),
    }
    for (const stream of Object.values(streams))
      expect((await next(stream)).kind).toBe('READ_AGAIN')
    const woken = async () => {
      const quiet = await Promise.all(
        Object.entries(streams).map(async ([name, stream]) => [name, await isQuiet(stream)]),
      )
      return quiet.flatMap(([name, isQuiet]) => (isQuiet ? [] : [name]))
    }
    feed.told({ sessions: ['u'] })
    expect(await woken()).toEqual(['session'])
    for (const stream of Object.values(streams)) await stream.return()
  })

  test('an event has what came meanwhile, once, and says where to go on', async () => {
    const { feed } = feedOf()
    const stream = feed.open({ everything: true })
    expect((await next(stream)).isFirst).toBe(true)
    feed.told({ users: ['a'], organizations: ['o'] })
    feed.told({ users: ['b'], sessions: ['c'] })
    feed.told({ users: ['a'], everyoneIn: ['p'] })
    const change = await next(stream)
    expect(change).toMatchObject({
      ...{ kind: 'CHANGED', userIds: ['a', 'b'], organizationIds: ['o', 'p'], isFirst: false },
    })
    expect(decodePosition(change.resumeToken ?? '').clock).toBe(clock)
    await stream.return()
  })

  test('holds nothing of what is too much, however slow the reader is', async () => {
    const { feed } = feedOf()
    const stream = feed.open({ everything: true })
    await next(stream)
    for (let n = 0; n < 1000; n += 1) feed.told({ users: [`u${n}`] })
    expect(await next(stream)).toMatchObject({ kind: 'CHANGED', userIds: { length: 1000 } })
    const begun = heldBytes()
    const id = (n: number) => `${n}`.padStart(200, 'x')
    for (let n = 0; n < 200_000; n += 1) feed.told({ users: [id(n)] })
    // What the feed remembers for all of them is a tenth of that.
    expect(heldBytes() - begun).toBeLessThan(20e6)
    expect(await next(stream)).toMatchObject({ kind: 'READ_AGAIN', userIds: [] })
    feed.told({ users: ['after'] })
    expect(await next(stream)).toMatchObject({ kind: 'CHANGED', userIds: ['after'] })
    await stream.return()
  })

  test('asks who is a member where members are not named, and tells all where it cannot', async () => {
    const { feed, asked } = feedOf(async () => ['member'])
    const [member, stranger] = [feed.open({ user: 'member' }), feed.open({ user: 'stranger' })]
    await Promise.all([next(member), next(stranger)])
    feed.told({ everyoneIn: ['o'] })
    expect((await next(member)).kind).toBe('CHANGED')
    expect(await isQuiet(stranger)).toBe(true)
    expect(asked).toEqual([[['o'], ['member', 'stranger']]])
    const failing = feedOf(() => Promise.reject(new Error('no database')))
    const either = failing.feed.open({ user: 'u' })
    await next(either)
    failing.feed.told({ everyoneIn: ['o'] })
    expect((await next(either)).kind).toBe('READ_AGAIN')
  })

  test('says to read again after the source was away, and nothing can begin meanwhile', async () => {
    const { feed } = feedOf()
    const stream = feed.open({ user: 'u' })
    await next(stream)
    feed.lost()
    expect(() => feed.open({ user: 'u' })).toThrow('subscribe again soon')
    // A token that is none is one for no gateway, so that is said first.
    expect(() => feed.open({ everything: true, after: 'x' })).toThrow('no resumeToken')
    feed.heard({ clock, sinceMs: Date.now(), untilMs: Date.now() })
    expect((await next(stream)).kind).toBe('READ_AGAIN')
    feed.toldOfAll()
    expect((await next(stream)).kind).toBe('READ_AGAIN')
    await stream.return()
  })

  test('rejects what waits when it closes, and what comes after', async () => {
    const { feed } = feedOf()
    const [waiting, later] = [feed.open({ user: 'u' }), feed.open({ user: 'u' })]
    await next(waiting)
    const rejects = expect(waiting.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    feed.close()
    await rejects
    await expect(later.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await later.next()).toEqual({ done: true, value: undefined })
    feed.heard({ clock, sinceMs: 1, untilMs: 1 })
    expect(() => feed.open({ user: 'u' })).toThrow('subscribe again soon')
  })

  test('a stream that is returned is told nothing, and one that waits ends', async () => {
    const { feed } = feedOf()
    const stream = feed.open({ user: 'u' })
    await next(stream)
    const waiting = stream.next()
    await stream.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    feed.told({ users: ['u'] })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })
})
