import { quote } from '../layout/quote.ts'

/** Statements as a text that psql runs. */
export function script(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};`).join('\n')
}

/** Whoever privileges were granted to, as GRANT and REVOKE write it; `null` is everybody. */
export function grantee(name: string | null): string {
  return name === null ? 'public' : quote(name)
}

/** The grantee, in a sentence about the role that the gateway connects as. */
export function grantedTo(name: string | null, role: string): string {
  if (name === null) return 'everybody (PUBLIC)'
  return name === role
    ? `the role "${role}"`
    : `the role "${name}", of which "${role}" is a member,`
}
