import { GraphQLError } from 'graphql'
import { expect, test } from 'vitest'
import { GatewayError } from '../../src/domain/errors.ts'
import { textOf } from '../../src/http/write.ts'
import { createTell } from '../../src/operation/tell.ts'
import { RequestScope } from '../../src/scope.ts'

test('where an error was made is not found out for clients, and is for the log', () => {
  const reported: unknown[] = []
  const tell = createTell({ suggestions: false, onUnexpected: (error) => reported.push(error) })
  const scope = new RequestScope({ id: 'a', method: 'POST', path: '/graphql', address: '::1' })
  const fault = new Error('a fault')
  const refusal = new GatewayError('FORBIDDEN', 'Not for you.')
  const { errors } = tell(scope, [
    new GraphQLError('Not for you.', { path: ['one'], originalError: refusal }),
    new GraphQLError('a fault', { path: ['other'], originalError: fault }),
  ])
  expect([refusal, ...errors].map(({ stack }) => stack?.includes('\n    at '))).toEqual([
    ...[false, false, false],
  ])
  expect(reported).toEqual([fault])
  expect(fault.stack).toContain('\n    at ')
  const { body } = textOf({ data: { one: null, other: null }, errors })
  expect(JSON.parse(body).errors).toMatchObject([
    { message: 'Not for you.', path: ['one'], extensions: { code: 'FORBIDDEN' } },
    { message: 'Unexpected error.', path: ['other'], extensions: { code: 'INTERNAL' } },
  ])
  // What is made otherwise says where, as before.
  expect(new Error('another').stack).toContain('\n    at ')
})
