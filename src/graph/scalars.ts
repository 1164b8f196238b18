import { valueFromASTUntyped } from 'graphql'
import { GatewayError } from '../domain/errors.ts'
import type { Permission } from '../domain/permission.ts'
import type { Builder } from './builder.ts'

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

export function defineScalars(builder: Builder) {
  builder.scalarType('DateTime', {
    description: 'An instant, RFC 3339 in UTC, for example `2026-01-31T09:30:00.000Z`.',
    specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
    serialize: (value) => value.toISOString(),
    parseValue: parseInstant,
    parseLiteral: (literal) => parseInstant(valueFromASTUntyped(literal)),
  })
  builder.scalarType('JSON', {
    description: 'Any JSON value.',
    specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
    serialize: (value) => value,
  })
  builder.scalarType('Permission', {
    description:
      'What may be done, as `resource:action`, for example `leave:approve`. Split at the first colon; neither part is empty. Resources and actions are those of Better Auth’s access control.',
    specifiedByURL: 'https://better-auth.com/docs/plugins/organization#access-control',
    serialize: (value) => value,
    parseValue: parsePermission,
    parseLiteral: (literal) => parsePermission(valueFromASTUntyped(literal)),
  })
}

/** In characters. */
const LONGEST_PERMISSION = 256

function parsePermission(value: unknown): Permission {
  if (typeof value !== 'string')
    throw new GatewayError('BAD_USER_INPUT', 'A permission is a string, resource:action.')
  const colon = value.indexOf(':')
  if (colon < 1 || colon === value.length - 1 || value.length > LONGEST_PERMISSION)
    throw new GatewayError(
      'BAD_USER_INPUT',
      `A permission is resource:action, at most ${LONGEST_PERMISSION} characters.`,
    )
  return value
}

function parseInstant(value: unknown): Date {
  const instant = typeof value === 'string' && RFC_3339.test(value) ? new Date(value) : null
  const year = instant?.getUTCFullYear() ?? 0
  // PostgreSQL reads years from 1 to 9999 as they are written here. What is no instant has none.
  if (!instant || !(year >= 1 && year <= 9999))
    throw new GatewayError('BAD_USER_INPUT', 'An instant is RFC 3339, 2026-01-31T09:30:00Z.')
  return instant
}
