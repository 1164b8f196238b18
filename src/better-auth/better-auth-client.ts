import { createAuthClient } from 'better-auth/client'
import { adminClient, organizationClient } from 'better-auth/client/plugins'

/** What a caller is known by at Better Auth. It takes sessions, by cookie or as a bearer, and none of its JWTs. */
const CREDENTIALS = ['authorization', 'cookie', 'origin']

/** Better Auth's HTTP API in the name of one caller; each call answers `{ data, error }`. */
export type BetterAuthClient = ReturnType<typeof betterAuthFor>

/**
 * Better Auth's HTTP API in the name of whoever sent a request, with the credentials of that request and nothing else
 * of it. What the caller may change is Better Auth's decision.
 * @param url Better Auth's address with its path, as the gateway's BETTER_AUTH_URL.
 */
export function betterAuthFor(url: string, caller: Headers) {
  const headers = CREDENTIALS.flatMap((name): [string, string][] => {
    const value = caller.get(name)
    return value === null ? [] : [[name, value]]
  })
  return createAuthClient({
    baseURL: url,
    plugins: [organizationClient(), adminClient()],
    fetchOptions: { headers: Object.fromEntries(headers) },
  })
}
