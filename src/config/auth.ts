import { group, optional, required, withDefault } from './group.ts'
import { httpUrl, list, onOff, text, wordOr } from './kinds.ts'

/** Those of asymmetric keys: whoever can check a signature must not be able to make one. */
const algorithms = [
  'EdDSA',
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]

export const auth = group({
  title: 'Better Auth and its users',
  variables: {
    AUTH_ISSUER: required(
      text,
      "the issuer (`iss`) of Better Auth's tokens, by default the origin of its base URL",
    ),
    AUTH_AUDIENCE: optional(text, '`AUTH_ISSUER`', 'the audience (`aud`) of its tokens'),
    AUTH_ALGORITHMS: withDefault(
      list(
        `some of ${algorithms.join(', ')}`,
        (names) => names.length > 0 && names.every((name) => algorithms.includes(name)),
      ),
      'EdDSA,ES256,RS256',
      'the signatures that are accepted',
    ),
    AUTH_JWKS: withDefault(
      wordOr('database', httpUrl),
      'database',
      'where its public keys are read: `database` is the `jwks` table, a URL a JWKS',
    ),
    AUTH_SESSIONS: withDefault(
      onOff,
      'off',
      'whether sessions of Better Auth are accepted next to JWTs',
    ),
    BETTER_AUTH_SECRET: optional(
      text,
      'none',
      'the secret of Better Auth, needed with `AUTH_SESSIONS=on`',
    ),
    AUTH_COOKIE_PREFIX: withDefault(
      text,
      'better-auth',
      "what the names of Better Auth's cookies begin with",
    ),
    PLATFORM_ADMIN_ROLES: withDefault(
      list('names of roles'),
      'admin',
      'the global roles that see every user',
    ),
    BETTER_AUTH_URL: optional(
      httpUrl,
      'not named',
      "Better Auth's HTTP API, named to whoever sends a mutation",
    ),
  },
  rules: [
    {
      about: 'BETTER_AUTH_SECRET',
      brokenBy: (given) => given.AUTH_SESSIONS === 'on' && given.BETTER_AUTH_SECRET === undefined,
      problem: 'is required with AUTH_SESSIONS=on',
    },
  ],
  make: (env) => ({
    auth: {
      issuer: env.AUTH_ISSUER,
      audience: env.AUTH_AUDIENCE ?? env.AUTH_ISSUER,
      algorithms: env.AUTH_ALGORITHMS,
      jwks: env.AUTH_JWKS,
      /** `null`: sessions of Better Auth are no credentials. `secret` is what it signs their tokens with. */
      sessions:
        env.AUTH_SESSIONS && env.BETTER_AUTH_SECRET !== undefined
          ? { secret: env.BETTER_AUTH_SECRET, cookiePrefix: env.AUTH_COOKIE_PREFIX }
          : null,
    },
    platformAdminRoles: env.PLATFORM_ADMIN_ROLES,
    /** Better Auth's HTTP API, where changes are made. */
    betterAuthUrl: env.BETTER_AUTH_URL ?? null,
  }),
})
