import { expect, test } from 'vitest'
import { Trust } from '../../src/permissions/trust.ts'
import { grantOf } from '../contract/permission-cache.ts'

const since = new Date()
const grant = (afterMs: number) => grantOf({ resolvedAt: new Date(since.getTime() + afterMs) })

test('with a continuous source only grants count that were read since it tells of everything', () => {
  const trust = new Trust({ continuous: true })
  expect(trust.believes(grant(1000))).toBe(false)
  trust.news = { since, atMs: performance.now() }
  expect(trust.believes(grant(-1))).toBe(false)
  expect(trust.believes(grant(0))).toBe(true)
  trust.news = null
  expect(trust.believes(grant(1000))).toBe(false)
})

test('a source that says nothing counts as lost after three seconds', () => {
  const trust = new Trust({ continuous: true })
  trust.news = { since, atMs: performance.now() - 2900 }
  expect(trust.believes(grant(0))).toBe(true)
  trust.news = { since, atMs: performance.now() - 3001 }
  expect(trust.believes(grant(0))).toBe(false)
})

test('no grant counts while a change has not reached the cache', () => {
  const trust = new Trust({ continuous: false })
  expect(trust.believes(grant(-1000))).toBe(true)
  trust.settled = false
  expect(trust.believes(grant(1000))).toBe(false)
  trust.settled = true
  expect(trust.believes(grant(-1000))).toBe(true)
})
