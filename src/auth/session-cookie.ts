/**
 * The value of Better Auth's session cookie in a Cookie header. Only a secure origin can set the name that begins with
 * `__Secure-`, so it goes first; of several with one name, the first is that of the most specific path.
 */
export function findSessionCookie(header: string, prefix: string): string | undefined {
  const pairs = header.split(';').map((pair) => pair.trim())
  const name = `${prefix}.session_token=`
  const pair =
    pairs.find((candidate) => candidate.startsWith(`__Secure-${name}`)) ??
    pairs.find((candidate) => candidate.startsWith(name))
  return pair?.slice(pair.indexOf('=') + 1)
}
