import { expect, test } from 'vitest'
import { recordRequests } from '../../src/http/log.ts'
import { RequestScope } from '../../src/scope.ts'
import { createLogger } from '../../src/telemetry/log.ts'

test('of a share of the requests, about so many have a line, and all with an error', () => {
  const statuses: number[] = []
  const log = createLogger('info', { write: (line) => statuses.push(JSON.parse(line).status) })
  const record = recordRequests(log, null, 0.25)
  for (const status of [200, 404])
    for (let index = 0; index < 400; index++)
      record(
        new RequestScope({ address: 'unknown', id: 'an-id', method: 'POST', path: '/graphql' }),
        status,
      )
  const lines = (status: number) => statuses.filter((one) => one === status).length
  expect(lines(404)).toBe(400)
  // Seven standard deviations either way.
  expect(Math.abs(lines(200) - 100)).toBeLessThan(61)
})
