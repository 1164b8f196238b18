import { group, withDefault } from './group.ts'
import { list, onOff } from './kinds.ts'

/** One with a colon would name another permission. */
const resourceTypes = list(
  'types of resources',
  (names) => names.length > 0 && names.every((name) => !name.includes(':')),
)

export const authzen = group({
  title: 'Authorization API (AuthZEN)',
  variables: {
    AUTHZEN: withDefault(
      onOff,
      'off',
      "whether OpenID AuthZEN's Authorization API 1.0 is answered, below `/access/v1/`",
    ),
    AUTHZEN_ORGANIZATION_TYPES: withDefault(
      resourceTypes,
      'organization',
      'the types of resources whose ids are ids of organizations; of others, `properties.organizationId` says of which they are',
    ),
  },
  make: (env) => ({
    /** `null`: it is off. */
    authzen: env.AUTHZEN ? { organizationTypes: env.AUTHZEN_ORGANIZATION_TYPES } : null,
  }),
})
