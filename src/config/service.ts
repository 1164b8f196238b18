import { group, optional, type Rule } from './group.ts'
import { httpUrl, text } from './kinds.ts'

const names = ['SERVICE_ISSUER', 'SERVICE_AUDIENCE', 'SERVICE_JWKS_URL'] as const

export const service = group({
  title: 'Services',
  variables: {
    SERVICE_ISSUER: optional(
      text,
      'none',
      'the issuer whose tokens are accepted from services; all three of these are set, or none',
    ),
    SERVICE_AUDIENCE: optional(text, 'none', 'the audience of its tokens'),
    SERVICE_JWKS_URL: optional(httpUrl, 'none', 'the JWKS with its public keys'),
  },
  rules: [
    ...names.map(
      (name): Rule<typeof name> => ({
        about: name,
        brokenBy: (given) =>
          given[name] === undefined && names.some((other) => given[other] !== undefined),
        problem: 'is required when services are accepted',
      }),
    ),
    {
      about: 'SERVICE_ISSUER',
      brokenBy: (given) =>
        given.SERVICE_ISSUER !== undefined && given.SERVICE_ISSUER === given.AUTH_ISSUER,
      problem: 'must differ from AUTH_ISSUER, or users could carry scopes',
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
            jwksUrl: env.SERVICE_JWKS_URL,
          },
  }),
})
