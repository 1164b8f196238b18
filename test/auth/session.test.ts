import { createHmac } from 'node:crypto'
import { betterAuth } from 'better-auth'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { betterAuthOptions } from '../../src/demo/better-auth-options.ts'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import type { Person } from '../support/identity.ts'
import { recordStatements } from '../support/sql-log.ts'
import { world } from '../support/world.ts'

const { gatewayWith, identity, sql, ada, bob, eve, rita, root } = await world({ own: true })
const gateway = withSessions()

function withSessions(environment: Readonly<Record<string, string>> = {}): GatewayUnderTest {
  return gatewayWith({
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
    ...environment,
  })
}

interface SignedIn {
  /** `better-auth.session_token=…`, as a browser sends it back. */
  readonly cookie: string
  /** What sign-in answers in `set-auth-token`. */
  readonly bearer: string
  readonly token: string
}

/** A new session, over HTTP. */
async function signIn({ email, password }: Person = ada): Promise<SignedIn> {
  const { url, issuer } = identity.betterAuth
  const response = await fetch(`${url}/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: issuer },
    body: JSON.stringify({ email, password }),
  })
  const cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const { token } = (await response.json()) as { token: string }
  return { cookie, bearer: response.headers.get('set-auth-token') ?? '', token }
}

function sign(token: string, secret = identity.betterAuth.secret): string {
  return `${token}.${createHmac('sha256', secret).update(token).digest('base64')}`
}

async function outcome(headers: Record<string, string>, at = gateway): Promise<unknown> {
  const { status, data, errors } = await at.graphql('{ viewer { id } }', { headers })
  return status === 200 && errors.length === 0
    ? (data.viewer?.id ?? 'anonymous')
    : `${status} ${errors[0]?.extensions.code}`
}

const byCookie = (cookie: string, at?: GatewayUnderTest) => outcome({ cookie }, at)
const byBearer = (token: string, at?: GatewayUnderTest) =>
  outcome({ authorization: `Bearer ${token}` }, at)

const REFUSED = '401 UNAUTHENTICATED'

describe('a session is a credential', () => {
  test('as the cookie of a sign-in, under both of its names, among others', async () => {
    const { cookie } = await signIn()
    expect(cookie).toMatch(/^better-auth\.session_token=/)
    expect(await byCookie(cookie)).toBe(ada.id)
    expect(await byCookie(`__Secure-${cookie}`)).toBe(ada.id)
    expect(await byCookie(`theme=dark; ${cookie};a=b=c; =; better-auth.session_data=x`)).toBe(
      ada.id,
    )
    expect(await byCookie(decodeURIComponent(cookie))).toBe(ada.id)
  })

  test('as the bearer that sign-in answers, percent-encoded or raw', async () => {
    const { bearer, token } = await signIn()
    expect(await byBearer(bearer)).toBe(ada.id)
    expect(await byBearer(encodeURIComponent(sign(token)))).toBe(ada.id)
    expect(await byBearer(sign(token))).toBe(ada.id)
  })

  test('next to JWTs', async () => {
    expect(await byBearer(await ada.jwt())).toBe(ada.id)
    expect(await outcome({})).toBe('anonymous')
  })

  test('with the prefix that Better Auth is configured with, and only with that', async () => {
    const { cookie } = await signIn()
    const acme = withSessions({ AUTH_COOKIE_PREFIX: 'acme' })
    const renamed = cookie.replace('better-auth', 'acme')
    expect(await byCookie(renamed, acme)).toBe(ada.id)
    expect(await byCookie(`__Secure-${renamed}`, acme)).toBe(ada.id)
    expect(await byCookie(cookie, acme)).toBe('anonymous')
    expect(await byCookie(renamed)).toBe('anonymous')
    expect(await byCookie(`x${cookie}`)).toBe('anonymous')
  })

  test('under a name of the application, with every prefix that a browser may keep it by', async () => {
    const { cookie } = await signIn()
    const named = withSessions({ AUTH_SESSION_COOKIE: 'app_session' })
    const renamed = cookie.replace('better-auth.session_token', 'app_session')
    for (const prefix of ['', '__Secure-', '__Host-'])
      expect(await byCookie(prefix + renamed, named), prefix).toBe(ada.id)
    expect(await byCookie(cookie, named)).toBe('anonymous')
    expect(await byCookie(`__Host-${cookie}`)).toBe(ada.id)
  })

  test('beside the name and password that a proxy in front has asked for, where that is said', async () => {
    const { cookie } = await signIn()
    const authorization = 'Basic c3RhZ2luZzpzZWNyZXQ='
    expect(await outcome({ cookie, authorization })).toBe(REFUSED)
    const staged = withSessions({ AUTH_IGNORE_BASIC: 'on' })
    expect(await outcome({ cookie, authorization }, staged)).toBe(ada.id)
    expect(await outcome({ authorization }, staged)).toBe('anonymous')
    expect(await outcome({ cookie, authorization: 'Bearer a.b.c' }, staged)).toBe(REFUSED)
    expect(await outcome({ cookie, authorization: 'Basics' }, staged)).toBe(REFUSED)
  })

  test('beside cookies that were left behind, of which the one that lives counts', async () => {
    const live = await signIn()
    const stale = await signIn()
    await sql('delete from sessions where token = $1', [stale.token])
    expect(await byCookie(`__Secure-${stale.cookie}; ${live.cookie}`)).toBe(ada.id)
    expect(await byCookie(`${stale.cookie}; ${live.cookie}`)).toBe(ada.id)
    expect(await byCookie(`__Host-better-auth.session_token=forged; ${live.cookie}`)).toBe(ada.id)
    expect(await byCookie(`${stale.cookie}; __Secure-${stale.cookie}`)).toBe('anonymous')
  })

  test('of an admin who acts as somebody: they see what that user sees, and the log tells them apart', async () => {
    const { url, issuer: origin } = identity.betterAuth
    const response = await fetch(`${url}/admin/impersonate-user`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin,
        authorization: `Bearer ${root.session}`,
      },
      body: JSON.stringify({ userId: ada.id }),
    })
    const impersonated = response.headers
      .getSetCookie()
      .findLast((cookie) => cookie.startsWith('better-auth.session_token='))
    const { cookie } = await signIn()
    const query = `{ viewer { id email } users { totalCount } user(id: "${eve.id}") { id } }`
    const told = async (cookie = '') => {
      const { caller, ...seen } = await gateway.told(query, { headers: { cookie } })
      return [seen, caller]
    }
    const [seen, caller] = await told(cookie)
    expect(caller).toBe('user')
    expect(seen).toMatchObject({ data: { viewer: { id: ada.id }, user: null } })
    expect(await told(impersonated?.split(';', 1)[0])).toEqual([seen, 'impersonated'])
  })

  test('no more than four of one request are looked up', async () => {
    const many = Array.from({ length: 9 }, (_, i) => sign(`${i}`.repeat(32)))
    const header = many.map((value) => `better-auth.session_token=${value}`).join('; ')
    const statements = await recordStatements(identity.database.name, () => byCookie(header))
    expect(statements).toHaveLength(4)
  })

  test('signed with the first of several secrets, as Better Auth itself takes it', async () => {
    const { token } = await signIn()
    const [current, former, legacy] = ['n', 'o', 'l'].map((letter) => letter.repeat(40))
    const pool = new pg.Pool({ connectionString: identity.database.url, max: 1 })
    const { issuer: origin } = identity.betterAuth
    const settings = { origin, pool, secret: legacy ?? '', tokenLifetime: '15m' } as const
    const secrets = [
      { version: 2, value: current ?? '' },
      { version: 1, value: former ?? '' },
    ]
    const options = betterAuthOptions({ ...settings, algorithm: 'EdDSA' })
    // Without the plug-in that signs a token beside each session, with a key that is kept under the world's own secret.
    const auth = betterAuth({ ...options, plugins: [], secrets })
    const rotated = withSessions({
      BETTER_AUTH_SECRET: legacy ?? '',
      BETTER_AUTH_SECRETS: `2:${current}, 1:${former}`,
    })
    for (const secret of [current, former, legacy]) {
      const cookie = `better-auth.session_token=${encodeURIComponent(sign(token, secret))}`
      const request = new Request(`${origin}/api/auth/get-session`, { headers: { cookie } })
      const found = (await (await auth.handler(request)).json()) as { user: { id: string } } | null
      expect(await byCookie(cookie, rotated), secret).toBe(found?.user.id ?? 'anonymous')
      expect(found === null, secret).toBe(secret !== current)
    }
    await pool.end()
  })

  test('at the cost of one statement more than a JWT', async () => {
    const { cookie, bearer } = await signIn()
    const jwt = await ada.jwt()
    await byBearer(jwt)
    const cost = async (work: () => Promise<unknown>) =>
      (await recordStatements(identity.database.name, work)).length
    const jwtCost = await cost(() => byBearer(jwt))
    expect(jwtCost).toBe(1)
    expect(await cost(() => byCookie(cookie))).toBe(jwtCost + 1)
    expect(await cost(() => byBearer(bearer))).toBe(jwtCost + 1)
  })
})

describe('what Better Auth did not sign is a bad bearer and no cookie', () => {
  const forged: Record<string, (signedIn: SignedIn) => string> = {
    'a bare token': ({ token }) => token,
    'a token with an empty signature': ({ token }) => `${token}.`,
    'a signature with another secret': ({ token }) => sign(token, 'x'.repeat(64)),
    'a signature of another token': ({ token }) =>
      sign('a'.repeat(32)).replace('a'.repeat(32), token),
    'a signature with one bit changed': ({ token }) => {
      const [, signature = ''] = sign(token).split('.')
      const bytes = Buffer.from(signature, 'base64')
      bytes.writeUInt8(bytes.readUInt8(31) ^ 1, 31)
      return `${token}.${bytes.toString('base64')}`
    },
    'half a signature': ({ token }) => sign(token).slice(0, -22),
    'a signature in base64url': ({ token }) =>
      `${token}.${createHmac('sha256', identity.betterAuth.secret).update(token).digest('base64url')}`,
    'a signature encoded twice': ({ token }) => encodeURIComponent(encodeURIComponent(sign(token))),
    'an encoding that is none': ({ token }) => `${sign(token)}%`,
    'an endless token': ({ token }) => sign(token.repeat(20)),
    'a token with a NUL': ({ token }) => encodeURIComponent(sign(`${token}\0`)),
  }

  test.each(Object.keys(forged))('%s', async (what) => {
    const credential = forged[what]?.(await signIn()) ?? ''
    const statements = await recordStatements(identity.database.name, async () => {
      expect(await byBearer(credential)).toBe(REFUSED)
      expect(gateway.logged.at(-1)).toMatch(/"refused":"(session|malformed)"/)
      expect(await byCookie(`better-auth.session_token=${credential}`)).toBe('anonymous')
    })
    expect(statements).toEqual([])
  })

  test('a well signed token of no session', async () => {
    const credential = sign('a'.repeat(32))
    expect(await byBearer(credential)).toBe(REFUSED)
    expect(await byCookie(`better-auth.session_token=${credential}`)).toBe('anonymous')
  })
})

describe('a session ends with the next request', () => {
  test.each<[string, (signedIn: SignedIn) => Promise<unknown>]>([
    [
      'when it is signed out',
      ({ bearer }) =>
        identity.betterAuth.auth.api.signOut({
          headers: new Headers({ authorization: `Bearer ${bearer}` }),
        }),
    ],
    [
      'when it is revoked',
      ({ token }) =>
        identity.betterAuth.auth.api.revokeSession({ body: { token }, headers: ada.headers }),
    ],
    [
      'when it has expired',
      ({ token }) => sql(`update sessions set expires_at = now() where token = $1`, [token]),
    ],
  ])('%s', async (_, end) => {
    const signedIn = await signIn()
    expect(await byCookie(signedIn.cookie)).toBe(ada.id)
    expect(await byBearer(signedIn.bearer)).toBe(ada.id)
    await end(signedIn)
    expect(await byCookie(signedIn.cookie)).toBe('anonymous')
    expect(await byBearer(signedIn.bearer)).toBe(REFUSED)
  })

  test('but the account decides: somebody banned is refused with a live session', async () => {
    const { cookie, bearer } = await signIn(eve)
    await sql('update users set banned = true where id = $1', [eve.id])
    expect(await byCookie(cookie)).toBe('200 UNAUTHENTICATED')
    expect(await byBearer(bearer)).toBe('200 UNAUTHENTICATED')
  })
})

describe('one credential counts', () => {
  test('an Authorization header, good or bad, and not the cookie beside it', async () => {
    const { cookie } = await signIn()
    const beside = (authorization: string) => outcome({ cookie, authorization })
    expect(await beside(`Bearer ${bob.session}`)).toBe(bob.id)
    expect(await beside(`Bearer ${await bob.jwt()}`)).toBe(bob.id)
    expect(await beside(`Bearer ${(await bob.jwt()).slice(0, -9)}`)).toBe(REFUSED)
    expect(await beside(`Bearer ${'a'.repeat(32)}`)).toBe(REFUSED)
    expect(await beside('Basic YWRhOmFkYQ==')).toBe(REFUSED)
  })

  test('of two cookies that live, the one that only a secure origin can set', async () => {
    const { cookie: planted } = await signIn(rita)
    const { cookie, bearer } = await signIn()
    expect(await byCookie(`${planted}; __Secure-${cookie}`)).toBe(ada.id)
    await identity.betterAuth.auth.api.signOut({
      headers: new Headers({ authorization: `Bearer ${bearer}` }),
    })
    expect(await byCookie(`${planted}; __Secure-${cookie}`)).toBe(rita.id)
  })
})

describe('AUTH_SESSIONS', () => {
  test('off is the default: a session bearer is refused and cookies are ignored', async () => {
    const { cookie, bearer } = await signIn()
    const plain = gatewayWith({ BETTER_AUTH_SECRET: identity.betterAuth.secret })
    expect(await byBearer(bearer, plain)).toBe(REFUSED)
    expect(await byCookie(cookie, plain)).toBe('anonymous')
    expect(await byBearer(await ada.jwt(), plain)).toBe(ada.id)
  })

  test('on needs the secret of Better Auth', () => {
    const environment = {
      DATABASE_URL: identity.readOnlyUrl,
      AUTH_ISSUER: identity.betterAuth.issuer,
      AUTH_SESSIONS: 'on',
    }
    expect(() => loadConfig(environment)).toThrow(
      'BETTER_AUTH_SECRET: is required with AUTH_SESSIONS=on',
    )
  })

  test('on is refused where there is no table of sessions', async () => {
    const config = loadConfig({
      DATABASE_URL: identity.readOnlyUrl,
      AUTH_ISSUER: identity.betterAuth.issuer,
      AUTH_SESSIONS: 'on',
      BETTER_AUTH_SECRET: 'secret',
    })
    const absent = '// absent: the database has no such table\nmodel Session {'
    const schema = config.database.prismaSchema.replace('model Session {', absent)
    const without = { ...config, database: { ...config.database, prismaSchema: schema } }
    expect(() => createGateway(without)).toThrow(/^AUTH_SESSIONS: .*storeSessionInDatabase/)
    await createGateway({ ...without, auth: { ...config.auth, sessions: null } }).close()
  })
})

describe('without the function', () => {
  const rename = (from: string, to: string) => sql(`alter function ${from}(text) rename to ${to}`)

  test('sessions are unavailable, the log says why at start, and JWTs go on', async () => {
    const { cookie, bearer } = await signIn()
    await rename('identity_gateway_session_user', 'elsewhere')
    try {
      const started = withSessions()
      const said = () => started.logged.filter((line) => line.includes('command doctor'))
      await vi.waitFor(() => expect(said()).toHaveLength(1))
      expect(JSON.parse(said()[0] ?? '')).toMatchObject({ level: 'error' })
      expect(said()[0]).toContain('42883')
      expect(await byCookie(cookie, started)).toBe('503 UNAVAILABLE')
      expect(await byBearer(bearer, started)).toBe('503 UNAVAILABLE')
      expect(await byBearer(sign('a', 'x'), started)).toBe(REFUSED)
      expect(await byBearer(await ada.jwt(), started)).toBe(ada.id)
      expect(await outcome({}, started)).toBe('anonymous')
      await rename('elsewhere', 'identity_gateway_session_user')
      expect(await byCookie(cookie, started)).toBe(ada.id)
    } finally {
      await rename('elsewhere', 'identity_gateway_session_user').catch(() => {})
    }
  })

  test('or without a grant on it, likewise', async () => {
    const { cookie } = await signIn()
    const role = new URL(identity.readOnlyUrl).username
    await sql(`revoke execute on function identity_gateway_session_user(text) from ${role}`)
    expect(await byCookie(cookie)).toBe('503 UNAVAILABLE')
    await sql(`grant execute on function identity_gateway_session_user(text) to ${role}`)
    expect(await byCookie(cookie)).toBe(ada.id)
  })
})
