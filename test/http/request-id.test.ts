import { expect, test } from 'vitest'
import { requestIdOf } from '../../src/http/head.ts'

const idFor = (headers: Record<string, string>) => requestIdOf({ header: (name) => headers[name] })
const made = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

test.each(['4bf92f3577b34da6', 'req:2026.11_24-001', 'x'.repeat(128)])('%s is kept', (given) => {
  expect(idFor({ 'x-request-id': given })).toBe(given)
})

test.each([
  '',
  'short',
  'a b c d e f g',
  'line\nbreak-x',
  '"quoted-text"',
  'ada@example.com',
  'x'.repeat(129),
])('instead of %j one is made', (given) => {
  expect(idFor({ 'x-request-id': given })).toMatch(made)
})

test('the trace of a traceparent is the id, where it is well-formed', () => {
  const parent = `00-${trace}-00f067aa0ba902b7-01`
  expect(idFor({ traceparent: parent })).toBe(trace)
  expect(idFor({ traceparent: parent, 'x-request-id': 'given-one' })).toBe('given-one')
  for (const wrong of [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `00-${trace}`, `${parent}x`])
    expect(idFor({ traceparent: wrong })).toMatch(made)
})

test('no two are the same', () => {
  expect(new Set(Array.from({ length: 1000 }, () => idFor({}))).size).toBe(1000)
})
