import { type GraphQLSchema, isObjectType } from 'graphql'
import type { Invitation } from '../domain/invitation.ts'
import type { Organization } from '../domain/organization.ts'
import type { Team } from '../domain/team.ts'
import type { User } from '../domain/user.ts'
import type { Context } from './context.ts'
import { invitationById } from './invitation.ts'
import { memberById, memberByPair } from './member.ts'
import { organizationById, organizationBySlug } from './organization.ts'
import type { MemberShown } from './refs.ts'
import { teamById } from './team.ts'
import { userByEmail, userById, userByUsername } from './user.ts'

/** What other subgraphs may refer to. */
export type EntityName = 'User' | 'Organization' | 'Member' | 'Team' | 'Invitation'

type Entity = User | Organization | MemberShown | Team | Invitation

export type Reference = Readonly<Record<string, unknown>>

/** How to enter an entity by one of its keys. They are the doors of Query, with the same checks. */
interface Entrance {
  /** As `@key(fields:)` has it. */
  readonly key: string
  /** `null`: the reference does not have this key. */
  readonly enter: (context: Context, reference: Reference) => Promise<Entity | null> | null
}

const all: Readonly<Record<EntityName, readonly Entrance[]>> = {
  User: [by('id', userById), by('email', userByEmail), by('username', userByUsername)],
  Organization: [by('id', organizationById), by('slug', organizationBySlug)],
  Member: [
    by('id', memberById),
    {
      key: 'organization { id } user { id }',
      enter: (context, { organization, user }) => {
        const [organizationId, userId] = [idOf(organization), idOf(user)]
        if (typeof organizationId !== 'string' || typeof userId !== 'string') return null
        return memberByPair(context, { organizationId, userId })
      },
    },
  ],
  Team: [by('id', teamById)],
  Invitation: [by('id', invitationById)],
}

/** Those of this graph: databases lack the tables and columns of plug-ins that are not used. */
export function entitiesOf(schema: GraphQLSchema): ReadonlyMap<EntityName, readonly Entrance[]> {
  const names = Object.keys(all) as EntityName[]
  return new Map(
    names.flatMap((name) => {
      const type = schema.getType(name)
      if (!isObjectType(type)) return []
      const fields = type.getFields()
      return [[name, all[name].filter(({ key }) => (key.split(' ', 1)[0] ?? '') in fields)]]
    }),
  )
}

function by(
  field: string,
  enter: (context: Context, value: string) => Promise<Entity | null>,
): Entrance {
  return {
    key: field,
    enter: (context, { [field]: value }) =>
      typeof value === 'string' ? enter(context, value) : null,
  }
}

function idOf(reference: unknown): unknown {
  return (Object(reference) as Reference).id
}
