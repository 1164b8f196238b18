import { createHmac, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { randomFrom } from '../support/random.ts'
import { world } from '../support/world.ts'
import { ban, bans, createComparison } from './support/states.ts'

/* Sessions in many states, as cookies and as bearers, at the gateway and at get-session of Better Auth. */

const { gatewayWith, identity, sql, ada, bob, carol, eve } = await world({ own: true })
const { betterAuth } = identity
const gateway = gatewayWith({ AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: betterAuth.secret })
const NAME = 'better-auth.session_token'

/** Where the gateway says something else of a session than get-session does, and why. */
const differences = {
  banned: 'get-session does not ask: Better Auth looks at bans when somebody signs in',
  'of a secure origin': 'Better Auth reads one name by its base URL; the gateway may have another',
  'left behind':
    'Better Auth reads one of several cookies; the gateway looks for the one that lives',
  'beside a bad bearer': 'Better Auth goes on to the cookie; an Authorization header decides here',
  unsigned: 'the bearer plug-in signs it itself; it could be read from a table or a backup',
}

const sign = (token: string, secret = betterAuth.secret) =>
  `${token}.${createHmac('sha256', secret).update(token).digest('base64')}`
const cookie = (value: string, prefix = '') => `${prefix}${NAME}=${encodeURIComponent(value)}`

/** What is sent with a session, by how. */
const ways: Readonly<Record<string, (token: string) => Readonly<Record<string, string>>>> = {
  cookie: (token) => ({ cookie: cookie(sign(token)) }),
  bearer: (token) => ({ authorization: `Bearer ${sign(token)}` }),
  'encoded bearer': (token) => ({ authorization: `Bearer ${encodeURIComponent(sign(token))}` }),
  'among others': (token) => ({ cookie: `a=b; ${cookie(sign(token))}; ${NAME}s=c` }),
  forged: (token) => ({ cookie: cookie(sign(token, 'x'.repeat(32))) }),
  'forged bearer': (token) => ({ authorization: `Bearer ${sign(token, 'x'.repeat(32))}` }),
  'of a secure origin': (token) => ({ cookie: cookie(sign(token), '__Secure-') }),
  'left behind': (token) => ({ cookie: `${cookie(sign('s'.repeat(32)))}; ${cookie(sign(token))}` }),
  'beside a bad bearer': (token) => ({
    authorization: 'Bearer a.b.c',
    cookie: cookie(sign(token)),
  }),
  unsigned: (token) => ({ authorization: `Bearer ${token}` }),
}

/** Whose session it is; `null`: nobody's. */
async function atBetterAuth(headers: Readonly<Record<string, string>>): Promise<string | null> {
  const response = await fetch(`${betterAuth.url}/get-session`, { headers })
  const found = (await response.json()) as { readonly user: { readonly id: string } } | null
  return found?.user.id ?? null
}

test('in hundreds of random states the gateway accepts what get-session does, but for what is listed', async () => {
  const random = randomFrom(20)
  const people = [ada, bob, carol, eve]
  for (const name of ['Dora', 'Dan', 'Dee']) people.push(await identity.signUp(name))
  const mortal = people.slice(4)
  const gone = new Set<string>()
  const { compare, end } = createComparison('sessions', differences)
  for (let index = 0; index < 400; index++) {
    const { id, name } = random.one(people) ?? ada
    const token = randomBytes(24).toString('base64url')
    const state = {
      index,
      name,
      way: random.one(Object.keys(ways)) ?? 'cookie',
      minutes: random.one([5, 5, 5, 60 * 24 * 6, -1]),
      isRevoked: random.chance(0.1),
      ban: random.chance(0.4) ? random.one(bans) : bans[0],
    }
    if (mortal.some((person) => person.id === id) && random.chance(0.02)) {
      await sql('delete from users where id = $1', [id])
      gone.add(id)
    }
    if (!gone.has(id))
      await sql(
        `insert into sessions (id, token, user_id, expires_at, created_at, updated_at)
         values ($1, $1, $2, now() + $3 * interval '1 minute', now(), now())`,
        [token, id, state.minutes],
      )
    await ban(sql, id, state.ban ?? bans[0])
    if (state.isRevoked) await sql('delete from sessions where token = $1', [token])

    const headers = ways[state.way]?.(token) ?? {}
    const { data, errors } = await gateway.graphql('{ viewer { id } }', { headers })
    const found: string | null = data?.viewer?.id ?? null
    // Afterwards, because it deletes what has expired.
    const said = await atBetterAuth(headers)
    for (const one of [found, said]) expect([null, id]).toContain(one)
    if (found !== null) expect(errors).toEqual([])
    const otherwise = (await atBetterAuth({ cookie: cookie(sign(token)) })) !== null
    const { way } = state
    compare({
      state,
      gateway: found !== null,
      betterAuth: said !== null,
      differences: {
        ...(state.ban?.lasts && { banned: false }),
        ...(['of a secure origin', 'left behind'].includes(way) && { [way]: otherwise }),
        ...(['beside a bad bearer', 'unsigned'].includes(way) && { [way]: false }),
      },
    })
  }
  expect(gone.size).toBeGreaterThan(0)
  end()
})
