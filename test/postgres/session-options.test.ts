import { expect, test } from 'vitest'
import { ownOptions, withSettings } from '../../src/postgres/session-options.ts'

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

test.each([
  ['postgresql://db/x', [], ''],
  ['postgresql://db/x?sslmode=require&options=', [], ''],
  [
    'postgresql://db/x?options=-c%20app.tenant%3Da%3Db%20--work-mem%3D4MB%20-cgeqo%3Doff',
    ['app.tenant=a=b', 'work-mem=4MB', 'geqo=off'],
    '',
  ],
  [
    String.raw`postgresql://db/x?options=endpoint%3Dquiet-sea -c%20 app.name%3Da\ b%20-c search_path%3Dauth`,
    ['app.name=a b'],
    'endpoint=quiet-sea',
  ],
])('%s sets what its options say', (url, settings, rest) => {
  expect(ownOptions(url)).toEqual({ settings, rest })
})
