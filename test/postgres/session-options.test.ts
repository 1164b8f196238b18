import { expect, test } from 'vitest'
import { withSettings } from '../../src/postgres/session-options.ts'

test.each([
  ['postgresql://me@db/identity', 'postgresql://me@db/identity', '-c a=1 -c b=2'],
  [
    'postgresql://db/x?options=-c%20a%3D0&sslmode=require',
    'postgresql://db/x?sslmode=require',
    '-c a=0 -c a=1 -c b=2',
  ],
  [
    'postgresql://me@/x?host=%2Fvar%2Frun&application_name=mine&statement_timeout=1&query_timeout=2',
    'postgresql://me@/x?host=%2Fvar%2Frun',
    '-c a=1 -c b=2',
  ],
])('%s begins its session with our settings last', (url, connectionString, options) => {
  expect(withSettings(url, ['a=1', 'b=2'])).toEqual({ connectionString, options })
})
