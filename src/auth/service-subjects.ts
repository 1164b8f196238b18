import type { JWTPayload } from 'jose'

/** What marks a token as one of a service itself: a claim and its value, in which `*` stands for any text. */
export interface ServiceSubject {
  readonly claim: string
  readonly pattern: string
}

/**
 * Whether a token of the service issuer speaks for a service. One from a user's consent comes from the same issuer with the
 * same scopes, but its subject is that user. By default a service is its own client: `sub` is `client_id` or `azp`, one of
 * which the token must have. `null`: the default; else one of these marks is needed.
 */
export function isOfService(
  payload: JWTPayload,
  subjects: readonly ServiceSubject[] | null,
): boolean {
  if (subjects)
    return subjects.some(({ claim, pattern }) => {
      const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
      return typeof value === 'string' && matches(value, pattern)
    })
  const { sub, client_id, azp } = payload
  return sub !== undefined && (client_id === sub || azp === sub)
}

/** The rule that is in force, in words, and the claims that it reads. */
export function describeSubjects(subjects: readonly ServiceSubject[] | null) {
  if (!subjects)
    return { rule: 'sub is client_id or azp', claims: ['sub', 'client_id', 'azp'] as const }
  return {
    rule: subjects.map(({ claim, pattern }) => `${claim} is ${pattern}`).join(' or '),
    claims: [...new Set(subjects.map(({ claim }) => claim))],
  }
}

/** Takes time in proportion to the text, whatever the pattern. */
function matches(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === pattern
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
