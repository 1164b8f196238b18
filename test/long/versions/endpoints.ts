import type { Auth } from '../../../src/demo/better-auth.ts'
import { origin } from '../layouts/better-auth.ts'

/* What is asked of a version of Better Auth over HTTP, as browsers and services do. */

/** A session by name and password, as the cookie that a browser sends back. */
export async function signIn(auth: Auth, email: string): Promise<string> {
  const response = await post(auth, '/sign-in/email', {}, { email, password: 'a long password' })
  const [cookie] = response.headers.getSetCookie()
  if (!cookie) throw new Error(`Nobody is signed in: ${response.status} ${await response.text()}`)
  return cookie.split(';', 1)[0] ?? ''
}

export async function signOut(auth: Auth, cookie: string): Promise<void> {
  const response = await post(auth, '/sign-out', { cookie }, {})
  if (!response.ok) throw new Error(`Signing out: ${response.status} ${await response.text()}`)
}

/** What `/organization/has-permission` says of whoever has the session. */
export async function hasPermission(
  auth: Auth,
  cookie: string,
  asked: object,
): Promise<boolean | 'not a member'> {
  const response = await post(auth, '/organization/has-permission', { cookie }, asked)
  const body = (await response.json()) as { success?: boolean; code?: string; message?: string }
  if (typeof body.success === 'boolean') return body.success
  if (/not a member/i.test(body.message ?? '')) return 'not a member'
  throw new Error(`${response.status} ${JSON.stringify(body)}`)
}

function post(auth: Auth, path: string, headers: Record<string, string>, body: object) {
  return auth.handler(
    new Request(`${origin}/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin, ...headers },
      body: JSON.stringify(body),
    }),
  )
}
