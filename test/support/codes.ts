import type { GraphQLAnswer } from './gateway.ts'

/** The code of each error, by the path of what it made null: `{ 'user.email': 'FORBIDDEN' }`. */
export function codesOf({ errors }: GraphQLAnswer): Record<string, string> {
  return Object.fromEntries(
    errors.map(({ path = [], extensions }) => [path.join('.'), extensions.code]),
  )
}
