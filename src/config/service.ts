import { group, optional, type Rule } from './group.ts'
import { httpUrl, kind, partsOf, several } from './kinds.ts'

/** A token of a user who consented to an app has the same, so they mark no service, as a value of nothing but `*` does not. */
const ofUsersToo = ['iss', 'aud', 'scope', 'scp', 'client_id', 'azp', 'cid']

/** `claim=value`, several separated by commas; `*` in a value stands for any text. */
const subjects = kind(
  `a claim and its value, such as gty=client-credentials or sub=svc-*, several separated by commas; a value of nothing but * is none, nor is a claim that tokens of users have too (${ofUsersToo.join(', ')})`,
  (given) => {
    const marks = partsOf(given).map((mark) => {
      const [claim = '', pattern = ''] = mark.split(/=(.*)/s)
      return { claim, pattern }
    })
    const isMark = ({ claim, pattern }: (typeof marks)[number]) =>
      /^[^*]+$/.test(claim) && !ofUsersToo.includes(claim) && /[^*]/.test(pattern)
    return marks.length > 0 && marks.every(isMark) ? marks : undefined
  },
)

/** One that has a comma in it is one. */
const urls = kind(`${httpUrl.description}, or several, separated by commas`, (given) => {
  const parts = partsOf(given).map((part) => httpUrl.safeParse(part).data)
  const several = parts.flatMap((part) => part ?? [])
  if (several.length > 0 && several.length === parts.length) return several
  const { data } = httpUrl.safeParse(given)
  return data && [data]
})

const names = ['SERVICE_ISSUER', 'SERVICE_AUDIENCE', 'SERVICE_JWKS_URL'] as const

export const service = group({
  title: 'Services',
  variables: {
    SERVICE_ISSUER: optional(
      several('issuers'),
      'none',
      'the issuer whose tokens are accepted from services; all three of these are set, or none',
    ),
    SERVICE_AUDIENCE: optional(
      several('audiences'),
      'none',
      'the audience of its tokens, of which a token needs one',
    ),
    SERVICE_JWKS_URL: optional(
      urls,
      'none',
      'the JWKS with its public keys; with several issuers that of all, or as many as there are issuers, in their order: the keys of each verify its own tokens alone',
    ),
    SERVICE_SUBJECTS: optional(
      subjects,
      'that `sub` is `client_id` or `azp`',
      'what marks a token as one of a service itself, and not of a user who consented to an app',
    ),
  },
  rules: [
    ...names.map(
      (name): Rule<typeof name> => ({
        about: name,
        brokenBy: (given) =>
          given[name] === undefined &&
          [...names, 'SERVICE_SUBJECTS'].some((other) => given[other] !== undefined),
        problem: 'is required when services are accepted',
      }),
    ),
    {
      about: 'SERVICE_ISSUER',
      brokenBy: ({ SERVICE_ISSUER = '', AUTH_ISSUER = '' }) =>
        partsOf(SERVICE_ISSUER).some((name) => partsOf(AUTH_ISSUER).includes(name)),
      problem: 'must differ from AUTH_ISSUER, or users could carry scopes',
    },
    {
      about: 'SERVICE_JWKS_URL',
      brokenBy: ({ SERVICE_ISSUER = '', SERVICE_JWKS_URL = '' }) => {
        const many = urls.safeParse(SERVICE_JWKS_URL).data?.length ?? 1
        return many !== 1 && many !== partsOf(SERVICE_ISSUER).length
      },
      problem: 'must be one URL, or one of each issuer in SERVICE_ISSUER',
    },
  ],
  make: (env) => ({
    /** `null`: no service tokens are accepted. */
    service:
      env.SERVICE_ISSUER === undefined ||
      env.SERVICE_AUDIENCE === undefined ||
      env.SERVICE_JWKS_URL === undefined
        ? null
        : {
            issuer: env.SERVICE_ISSUER,
            audience: env.SERVICE_AUDIENCE,
            keySets: keySetsOf(env.SERVICE_ISSUER, env.SERVICE_JWKS_URL),
            /** `null`: see `isOfService`. */
            subjects: env.SERVICE_SUBJECTS ?? null,
          },
  }),
})

/** Of one URL, for all issuers; of several, each for the issuer in its place. */
function keySetsOf(issuers: readonly string[], [first, ...others]: readonly URL[]) {
  if (!first) return []
  if (others.length === 0) return [{ issuer: issuers, jwksUrl: first }]
  return [first, ...others].map((jwksUrl, i) => ({ issuer: issuers.slice(i, i + 1), jwksUrl }))
}
