import { group, optional, required, withDefault } from './group.ts'
import { headerName, httpUrl, kind, list, onOff, several, text, wordOr } from './kinds.ts'

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

/** As Better Auth reads it: the first one is what it signs with, and all that a cookie is checked with. */
const currentSecret = kind('`<version>:<secret>`, separated by commas', (given) => {
  const entries = given.split(',').map((entry) => /^\s*\d+:\s*(.*\S)\s*$/s.exec(entry)?.[1])
  return entries.includes(undefined) ? undefined : entries[0]
})

export const auth = group({
  title: 'Better Auth and its users',
  variables: {
    AUTH_ISSUER: required(
      several('issuers'),
      "the issuer (`iss`) of Better Auth's tokens, by default the origin of its base URL; of several, a token needs one",
    ),
    AUTH_AUDIENCE: optional(
      several('audiences'),
      '`AUTH_ISSUER`',
      'the audience (`aud`) of its tokens, of which a token needs one',
    ),
    AUTH_ALGORITHMS: withDefault(
      list(
        `some of ${algorithms.join(', ')}`,
        (names) => names.length > 0 && names.every((name) => algorithms.includes(name)),
      ),
      'EdDSA,ES256,ES512,RS256,PS256',
      'the signatures that are accepted; by default those that Better Auth can be told to make',
    ),
    AUTH_JWKS: withDefault(
      wordOr('database', httpUrl),
      'database',
      'where its public keys are read: `database` is the `jwks` table, a URL a JWKS',
    ),
    OAUTH_AUDIENCE: optional(
      several('resource identifiers'),
      'none',
      "this gateway as a resource of Better Auth's OAuth provider, such as `https://identity.example.com/graphql`: access tokens for it (`typ: at+jwt`) are accepted of apps to which users consented; the first is announced",
    ),
    OAUTH_ISSUER: optional(
      several('issuers'),
      '`AUTH_ISSUER`, with `/api/auth` where that is an origin alone',
      'the issuer of these tokens, which is the base URL of Better Auth with its path',
    ),
    PUBLIC_URL: optional(
      httpUrl,
      'the first `OAUTH_AUDIENCE`; where that is no URL, tokens that are bound to a key are refused',
      'the URL at which clients ask, which they sign with each request where their token is bound to a key (DPoP); `/graphql` is added to an origin alone',
    ),
    OAUTH_OPAQUE_TOKENS: withDefault(
      onOff,
      'off',
      'whether opaque access tokens are accepted too, which that provider gives to apps that ask for no resource: every one of them, within its scopes, for whatever it was given',
    ),
    OAUTH_OPAQUE_TOKEN_PREFIX: optional(
      text,
      'none',
      'what they begin with (`prefix.opaqueAccessToken` of the plug-in)',
    ),
    AUTH_SESSIONS: withDefault(
      onOff,
      'off',
      'whether sessions of Better Auth are accepted next to JWTs',
    ),
    AUTH_API_KEYS: withDefault(
      onOff,
      'off',
      "whether keys of Better Auth's api-key plug-in are accepted, as far as their permissions say",
    ),
    AUTH_API_KEY_HEADER: withDefault(
      headerName,
      'x-api-key',
      'the header in which keys come (`apiKeyHeaders`); it counts where there is no `Authorization`',
    ),
    AUTH_API_KEY_ORGANIZATIONS: optional(
      several('names of configurations'),
      'none',
      "the configurations of the plug-in (`configId`) whose keys are organizations' (`references: 'organization'`); keys of others are users'",
    ),
    AUTH_IGNORE_BASIC: withDefault(
      onOff,
      'off',
      'whether a header `Authorization: Basic`, which is for a proxy in front, is as good as none, so that a cookie beside it counts',
    ),
    BETTER_AUTH_SECRET: optional(
      text,
      'none',
      'the secret of Better Auth, needed with `AUTH_SESSIONS=on`',
    ),
    BETTER_AUTH_SECRETS: optional(
      currentSecret,
      '`BETTER_AUTH_SECRET`',
      'its secrets with versions; the first counts, and goes before `BETTER_AUTH_SECRET`',
    ),
    AUTH_COOKIE_PREFIX: withDefault(
      text,
      'better-auth',
      "what the names of Better Auth's cookies begin with",
    ),
    AUTH_SESSION_COOKIE: optional(
      text,
      '`<AUTH_COOKIE_PREFIX>.session_token`',
      'the name of the session cookie (`advanced.cookies.session_token.name`), without `__Secure-` or `__Host-`',
    ),
    PLATFORM_ADMIN_ROLES: withDefault(
      list('names of roles'),
      'admin',
      'the global roles that see every user',
    ),
    PLATFORM_ADMIN_USER_IDS: optional(
      list('ids of users'),
      'none',
      "users who are platform admins whatever their role (`adminUserIds` of Better Auth's admin plug-in)",
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
      brokenBy: (given) =>
        given.AUTH_SESSIONS === 'on' &&
        given.BETTER_AUTH_SECRET === undefined &&
        given.BETTER_AUTH_SECRETS === undefined,
      problem: 'is required with AUTH_SESSIONS=on',
    },
    {
      about: 'AUTH_API_KEY_HEADER',
      brokenBy: (given) =>
        /^(authorization|dpop|cookie|x-request-id)$/i.test(given.AUTH_API_KEY_HEADER ?? ''),
      problem: 'names a header of other credentials, or of what is logged',
    },
    {
      about: 'AUTH_API_KEYS',
      brokenBy: (given) =>
        given.AUTH_API_KEY_ORGANIZATIONS !== undefined && given.AUTH_API_KEYS !== 'on',
      problem: 'must be on with AUTH_API_KEY_ORGANIZATIONS',
    },
    {
      about: 'OAUTH_AUDIENCE',
      brokenBy: (given) => given.OAUTH_ISSUER !== undefined && given.OAUTH_AUDIENCE === undefined,
      problem: 'is required with OAUTH_ISSUER',
    },
    {
      about: 'OAUTH_OPAQUE_TOKENS',
      brokenBy: (given) =>
        given.OAUTH_OPAQUE_TOKEN_PREFIX !== undefined && given.OAUTH_OPAQUE_TOKENS !== 'on',
      problem: 'must be on with OAUTH_OPAQUE_TOKEN_PREFIX',
    },
  ],
  make: (env) => {
    const secret = env.BETTER_AUTH_SECRETS ?? env.BETTER_AUTH_SECRET
    const cookieName = env.AUTH_SESSION_COOKIE ?? `${env.AUTH_COOKIE_PREFIX}.session_token`
    return {
      auth: {
        issuer: env.AUTH_ISSUER,
        audience: env.AUTH_AUDIENCE ?? env.AUTH_ISSUER,
        algorithms: env.AUTH_ALGORITHMS,
        jwks: env.AUTH_JWKS,
        ignoreBasic: env.AUTH_IGNORE_BASIC,
        /** `null`: no access tokens of its OAuth provider are accepted of users' apps. */
        oauth: env.OAUTH_AUDIENCE
          ? {
              issuer: env.OAUTH_ISSUER ?? env.AUTH_ISSUER.map(withBasePath),
              audience: env.OAUTH_AUDIENCE,
            }
          : null,
        /** What clients ask, without query and fragment; `null`: that is not known. */
        publicUrl: askedAt(env.PUBLIC_URL ?? env.OAUTH_AUDIENCE?.[0]),
        /** `null`: opaque ones are accepted of nobody. */
        opaqueTokens: env.OAUTH_OPAQUE_TOKENS
          ? { prefix: env.OAUTH_OPAQUE_TOKEN_PREFIX ?? '' }
          : null,
        /** `null`: API keys are no credentials. */
        apiKeys: env.AUTH_API_KEYS
          ? {
              header: env.AUTH_API_KEY_HEADER,
              organizationConfigs: env.AUTH_API_KEY_ORGANIZATIONS ?? [],
            }
          : null,
        /** `null`: sessions of Better Auth are no credentials. `secret` is what it signs their tokens with. */
        sessions: env.AUTH_SESSIONS && secret !== undefined ? { secret, cookieName } : null,
        /** What the cookie of a session is called, also where it is no credential. */
        sessionCookie: cookieName,
      },
      /** Who sees every user: holders of these roles by the users table, and these people. */
      platformAdmins: {
        roles: env.PLATFORM_ADMIN_ROLES,
        userIds: env.PLATFORM_ADMIN_USER_IDS ?? [],
      },
      /** Better Auth's HTTP API, where changes are made. */
      betterAuthUrl: env.BETTER_AUTH_URL ?? null,
    }
  },
})

/** Where Better Auth is by default. */
function withBasePath(issuer: string): string {
  return URL.canParse(issuer) && new URL(issuer).origin === issuer ? `${issuer}/api/auth` : issuer
}

function askedAt(url: URL | string = ''): string | null {
  if (!URL.canParse(url) || !/^https?:/.test(`${url}`)) return null
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname === '/' ? '/graphql' : pathname}`
}
