import type { ExecutionResult } from 'graphql'
import type { IgnoredCookie } from '../domain/caller.ts'

const hints: Readonly<Record<IgnoredCookie, string>> = {
  'needs AUTH_SESSIONS':
    'A cookie of a session came along, and sessions are no credentials here: AUTH_SESSIONS is off.',
  origin:
    "A cookie of a session came along from a page whose Origin is neither in CORS_ORIGINS nor this gateway's own host.",
  'needs preflight':
    'A cookie of a session counts with a body of type application/json, or with a header GraphQL-Require-Preflight or Apollo-Require-Preflight.',
  signature:
    "A cookie of a session came along that is not signed with BETTER_AUTH_SECRET, the secret of this gateway's Better Auth.",
  session: 'A cookie of a session came along that has ended: sign in again.',
}

/** The answer, with a sentence beside it of why a cookie does not count: for those who build, not for production. */
export function withCookieHint(answer: ExecutionResult, ignored: IgnoredCookie): ExecutionResult {
  const cookie = { ignored, hint: hints[ignored] }
  return { ...answer, extensions: { ...answer.extensions, cookie } }
}
