import { expect, test } from 'vitest'
import { describeRedisTrouble, whyOf } from '../../src/redis/trouble.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'

const url = 'rediss://gateway:hunter2@a.example:6380, rediss://b.example'

const coded = (code: string) => Object.assign(new Error('connect'), { code })

test.each([
  [new Error('NOAUTH Authentication required.'), 'wants a password'],
  [new Error('WRONGPASS invalid username-password pair'), 'refuses the user or the password'],
  [
    new Error("NOPERM this user has no permissions to run the 'ping' command"),
    'docs/permissions.md',
  ],
  [new Error('ERR DB index is out of range'), 'the number of the database'],
  [
    new Error("NOPERM this user has no permissions to run the 'select' command"),
    'the number of the database',
  ],
  [new Error('MOVED 10703 10.0.0.1:4782'), 'cluster-announce-hostname'],
  [new Error("READONLY You can't write against a read only replica."), 'the primary'],
  [new Error('LOADING Redis is loading the dataset in memory'), 'still loading'],
  [new Error('CLUSTERDOWN Hash slot not served'), 'Cluster is down'],
  [new Error('MASTERDOWN Link with MASTER is down'), 'has lost its primary'],
  [new Error("OOM command not allowed when used memory > 'maxmemory'."), 'is full'],
  [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'an authority that is not trusted here'],
  [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'an authority that is not trusted here'],
  [coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'an authority that is not trusted here'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'of another name'],
  [coded('CERT_HAS_EXPIRED'), 'has expired'],
  [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'redis:// instead of rediss://'],
  [coded('ENOTFOUND'), 'no such host'],
  [coded('ECONNREFUSED'), 'nothing listens there'],
  [coded('ECONNRESET'), 'rediss:// if it speaks TLS'],
  [coded('ETIMEDOUT'), 'does not answer in time'],
  [new Error('something else about hunter2'), 'does not answer'],
  ['no error at all', 'does not answer'],
])('%s is told in one sentence that names where, and no password', (error, part) => {
  const sentence = describeRedisTrouble(error, url)
  expect(sentence).toMatch(/^Redis at a\.example:6380, b\.example:6379 .*\.$/)
  expect(sentence).toContain(part)
  expect(sentence).not.toMatch(/hunter2|gateway:/)
})

test('what a Cluster met at its last node is the cause', () => {
  const error = Object.assign(new Error('Failed to refresh slots cache.'), {
    lastNodeError: new Error('WRONGPASS invalid username-password pair or user is disabled.'),
  })
  expect(describeRedisTrouble(error, url)).toContain('refuses the user or the password')
})

test('the log says the cause after what it means', () => {
  const lines: string[] = []
  const log = createLogger('warn', { write: (line) => void lines.push(line) })
  const { trouble } = new Telemetry(log, { metrics: false })
  trouble('Redis is in trouble.', whyOf({ url }))(new Error('MOVED 1 10.0.0.1:4782'))
  trouble('Redis is in trouble.', whyOf(null))(new Error('MOVED 1 10.0.0.1:4782'))
  const told = lines.map((line) => JSON.parse(line).msg)
  expect(told).toEqual([
    expect.stringMatching(
      /^Redis is in trouble\. Redis at a\.example:6380.* one node of a Redis Cluster/,
    ),
    'Redis is in trouble.',
  ])
  expect(lines.join('')).not.toContain('hunter2')
})
