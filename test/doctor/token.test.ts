import { spawnSync } from 'node:child_process'
import type { JWTHeaderParameters } from 'jose'
import { describe, expect, test } from 'vitest'
import { examineToken } from '../../src/doctor/token.ts'
import { publishKey } from '../auth/published-keys.ts'
import { runCli } from '../support/cli.ts'
import { createSigner, type Signer } from '../support/tokens.ts'
import { world } from '../support/world.ts'

const { environment, identity, services, sql, ada, bob } = await world({
  own: true,
  environment: { AUTH_AUDIENCE: 'web, mobile', AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: 'x' },
})
const { issuer } = identity.betterAuth
const trusted = await createSigner('EdDSA', 'trusted')
const other = await createSigner('ES384', 'other')
for (const signer of [trusted, other]) await publishKey(identity, signer)
const now = Math.floor(Date.now() / 1000)

function sign(
  changes: object = {},
  header: Partial<JWTHeaderParameters> = {},
  by: Signer = trusted,
) {
  return by.sign({ iss: issuer, aud: 'web', sub: ada.id, exp: now + 600, ...changes }, header)
}

/** The first finding, the second, and that neither holds a part of the token. */
async function judge(token: string, further: Readonly<Record<string, string>> = {}) {
  const { healthy, findings } = await examineToken({ ...environment, ...further }, token)
  const [verdict = '', comparison] = findings.map(({ level, message }) => `${level}: ${message}`)
  for (const part of token.split('.').filter((part) => part.length > 20))
    expect(JSON.stringify(findings)).not.toContain(part)
  expect(verdict.startsWith('info: ')).toBe(healthy)
  return { verdict, comparison }
}

describe('a token that would be accepted', () => {
  test('of a user is told of by the id, with what it says beside what is accepted', async () => {
    expect(await judge(await sign({ email: 'ada@example.com', aud: ['web', 'x'] }))).toEqual({
      verdict: `info: It is a token of the user "${ada.id}".`,
      comparison: `info: It says: issuer "${issuer}", audience ["web","x"], algorithm "EdDSA", key "trusted", type none, expires ${new Date((now + 600) * 1000).toISOString()}. Accepted: issuer "${issuer}" (AUTH_ISSUER) with audience "web" or "mobile" (AUTH_AUDIENCE), or issuer "${services.issuer}" (SERVICE_ISSUER) with audience "${services.audience}" (SERVICE_AUDIENCE); algorithms EdDSA, ES256, ES512, RS256, PS256.`,
    })
  })

  test('of a service is told of by its scopes', async () => {
    expect((await judge(await services.token('identity:read other'))).verdict).toBe(
      'info: It is a token of a service, with the scopes identity:read.',
    )
    expect((await judge(await services.token(''))).verdict).toMatch(/no scope that counts here\.$/)
  })

  test('of a session is told of as well, and nothing is read from it', async () => {
    const { secret } = identity.betterAuth
    expect(await judge(ada.session, { BETTER_AUTH_SECRET: secret })).toEqual({
      verdict: `info: It is a token of the user "${ada.id}".`,
    })
    expect((await judge(ada.session)).verdict).toMatch(/^error: .*\(session\): it is no JWT/)
  })
})

test('the account decides: one that is banned or gone is an error', async () => {
  await sql('update users set banned = true where id = $1', [bob.id])
  for (const sub of [bob.id, 'nobody'])
    expect((await judge(await sign({ sub }))).verdict).toMatch(
      /^error: It is a token of the user ".+"\. But no such user is there, or they are banned/,
    )
})

test.each<[reason: string, token: () => Promise<string> | string, expected: string]>([
  [
    'issuer',
    () => sign({ iss: `${issuer}/` }),
    `is "${issuer}/", and has to be, letter by letter, "${issuer}" (AUTH_ISSUER) or "https://services.example.com" (SERVICE_ISSUER)`,
  ],
  [
    'audience',
    () => sign({ aud: 'tv' }),
    'is "tv", and has to be "web" or "mobile" (AUTH_AUDIENCE)',
  ],
  [
    'audience',
    () => services.token('', { aud: 'tv' }),
    `has to be "${services.audience}" (SERVICE_AUDIENCE)`,
  ],
  [
    'expired',
    () => sign({ exp: now - 60 }),
    `expired at ${new Date((now - 60) * 1000).toISOString()}, and here it is 20`,
  ],
  ['claim', () => sign({ nbf: now + 300 }), `claim nbf is ${now + 300}`],
  ['claim', () => sign({ exp: undefined }), 'claim exp is none'],
  ['type', () => sign({}, { typ: 'logout+jwt' }), 'type (typ) is "logout+jwt"'],
  [
    'needs OAUTH_AUDIENCE',
    () => sign({}, { typ: 'at+jwt' }),
    `an access token of "${issuer}": those of users' apps are accepted where OAUTH_AUDIENCE is set`,
  ],
  ['subject', () => sign({ sub: '' }), 'subject (sub) is empty'],
  [
    'service',
    () => services.token('', { sub: 'a-user', client_id: 'app' }),
    'a service\'s is one where sub is client_id or azp (SERVICE_SUBJECTS), and here sub is "a-user", client_id is "app", azp is none',
  ],
  [
    'key',
    async () => sign({}, {}, await createSigner('EdDSA', 'made-up')),
    'the jwks table has not, or more than once, a key of this id (kid, "made-up")',
  ],
  ['key', () => sign({}, { kid: undefined as never }), '(kid, none)'],
  [
    'signature',
    async () => sign({}, {}, await createSigner('EdDSA', 'trusted')),
    'the key "trusted" of the jwks table has not signed',
  ],
  [
    'algorithm',
    () => sign({}, {}, other),
    'signed with "ES384", which AUTH_ALGORITHMS does not have',
  ],
  ['malformed', () => 'no.such.token', 'no JWT that can be read'],
  ['too long', () => 'x'.repeat(9000), 'longer than any'],
])('what refuses a token is told with what was expected: %s', async (reason, token, expected) => {
  const { verdict } = await judge(await token())
  expect(verdict).toMatch(`error: It would be refused (${reason}): `)
  expect(verdict).toContain(expected)
})

test('where there are no keys to verify it with, that is told', async () => {
  const token = await sign()
  expect((await judge(token, { AUTH_JWKS: 'http://127.0.0.1:1/jwks' })).verdict).toMatch(
    /^error: It cannot be checked\. .*No key set can be read from AUTH_JWKS/,
  )
  const away = Object.assign(new URL(identity.readOnlyUrl), { port: '1' }).href
  expect((await judge(token, { DATABASE_URL: away })).verdict).toMatch(
    /^error: It cannot be checked\. .*Nothing listens at 127\.0\.0\.1:1: check DATABASE_URL\.$/,
  )
})

test('the command reads it from standard input or a file, and never repeats it', async () => {
  const token = await sign()
  const main = new URL('../../dist/cli/main.js', import.meta.url).pathname
  const { status, stdout } = spawnSync(
    process.execPath,
    [main, 'doctor', '--token', '-', '--json'],
    {
      input: `Authorization: Bearer ${token}\n`,
      env: environment,
      encoding: 'utf8',
    },
  )
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ healthy: true, findings: [{ check: 'token' }, {}] })
  const named = await runCli(['doctor', '--token', token], environment)
  expect(named.code).toBe(2)
  expect(named.stderr).toContain('--token names a file that cannot be read')
  expect(named.stdout + named.stderr).not.toContain(token)
})
