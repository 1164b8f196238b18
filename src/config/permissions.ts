import { group, optional, withDefault } from './group.ts'
import { jsonFile, oneOf, onOff, text, wholeNumber } from './kinds.ts'

export const permissions = group({
  title: 'Permissions',
  variables: {
    ACCESS_CONTROL_FILE: optional(
      jsonFile,
      "Better Auth's default roles",
      'what roles may do: `{ "roles": { "<role>": { "<resource>": ["<action>"] } } }`',
    ),
    DYNAMIC_ACCESS_CONTROL: withDefault(
      onOff,
      'off',
      'whether Better Auth keeps roles in the database as well',
    ),
    ORGANIZATION_CREATOR_ROLE: withDefault(
      text,
      'owner',
      "the role of whoever creates an organization, Better Auth's `creatorRole`",
    ),
    PERMISSION_CACHE_TTL_SECONDS: withDefault(
      wholeNumber(1, 300, 'seconds'),
      '300',
      'how old a cached permission may be',
    ),
    PERMISSION_EVENTS: withDefault(
      oneOf('redis', 'postgres', 'off'),
      'off',
      'where news of changes come from that make cached permissions younger',
    ),
  },
  make: (env) => ({
    permissions: {
      /** The parsed text of the access control file; `null`: Better Auth's default roles. */
      accessControl: env.ACCESS_CONTROL_FILE ?? null,
      dynamic: env.DYNAMIC_ACCESS_CONTROL,
      ttlSeconds: env.PERMISSION_CACHE_TTL_SECONDS,
      events: env.PERMISSION_EVENTS,
      creatorRole: env.ORGANIZATION_CREATOR_ROLE,
    },
  }),
})
