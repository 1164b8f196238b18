/** In the order in which they are believed: only a secure origin can set the first two. */
const PREFIXES = ['__Host-', '__Secure-', '']

/** More than one are left behind by settings that have changed; no browser sends many. */
const MOST = 4

/**
 * The values of Better Auth's session cookie in a Cookie header, under each name that a browser may keep it by: one that
 * was left behind can stand beside the one that lives. Of several with one name, the first is that of the most specific
 * path.
 */
export function findSessionCookies(header: string, name: string): readonly string[] {
  const pairs = header.split(';').map((pair) => pair.trim())
  const values = PREFIXES.flatMap((prefix) =>
    pairs.filter((pair) => pair.startsWith(`${prefix}${name}=`)),
  ).map((pair) => pair.slice(pair.indexOf('=') + 1))
  return [...new Set(values)].slice(0, MOST)
}
