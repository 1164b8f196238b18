import { type GraphQLSchema, isObjectType } from 'graphql'
import { isPersonal, personalFields } from '../access/audiences.ts'
import type { Reading } from '../domain/audit.ts'
import type { Features } from '../domain/features.ts'
import { edgesOf, type Find } from './watch.ts'

/** Every field that tells personal data: what audiences.ts calls so, and everything of what it leads to. */
export function readings(schema: GraphQLSchema, { additional }: Features): typeof conditions {
  const ofSignIns = ['Session', 'Account', 'ScimUser'].flatMap((name) => {
    const type = schema.getType(name)
    return isObjectType(type) ? Object.keys(type.getFields()).map((of) => `${name}.${of}`) : []
  })
  const ofApplication = Object.entries(additional).flatMap(([type, fields]) =>
    fields.filter(({ visibleTo }) => isPersonal(visibleTo)).map(({ name }) => `${type}.${name}`),
  )
  const fields = [...personalFields, ...ofSignIns, ...ofApplication]
  return { ...Object.fromEntries(fields.map((field) => [field, ofParent])), ...conditions }
}

const ofParent: Find<Reading> = ({ field, parent }) => {
  const [type] = field.split('.')
  if (type === 'Organization') return [{ audit: 'pii', organizationId: parent.id, fields: [field] }]
  return [{ audit: 'pii', userId: type === 'User' ? parent.id : parent.userId, fields: [field] }]
}

/** Of whoever is found by what their data is, that has been told: the address, the role, the ban. */
const conditions: Readonly<Record<string, Find<Reading>>> = {
  'Query.userByEmail': ({ value }) => found(value, 'User.email'),
  'Query.usersByEmails': async ({ value }) => {
    const users = await Promise.allSettled(value as readonly Promise<unknown>[])
    return users.flatMap((user) =>
      user.status === 'fulfilled' ? found(user.value, 'User.email') : [],
    )
  },
  'Query.invitation': ({ value }) => invited(value),
  'Query._entities': async ({ args, value }) => {
    const entities = await Promise.allSettled(value as readonly Promise<unknown>[])
    return args.representations.flatMap(({ __typename, id, email }, index) => {
      const entity = entities[index]
      if (entity?.status !== 'fulfilled') return []
      if (__typename === 'Invitation') return invited(entity.value)
      const byEmail = __typename === 'User' && typeof id !== 'string' && typeof email === 'string'
      return byEmail ? found(entity.value, 'User.email') : []
    })
  },
  'Query.users': ({ args: { filter }, value }) =>
    edgesOf(value).flatMap((user) => [
      ...(filter?.role == null ? [] : found(user, 'User.role')),
      ...(filter?.banned == null ? [] : found(user, 'User.banned')),
    ]),
}

function found(user: unknown, field: string): readonly Reading[] {
  const { id: userId } = (user ?? {}) as { readonly id?: string }
  return userId === undefined ? [] : [{ audit: 'pii', userId, fields: [field] }]
}

/** An invitation that was found by its id. */
function invited(invitation: unknown): readonly Reading[] {
  const { organizationId } = (invitation ?? {}) as { readonly organizationId?: string }
  if (organizationId === undefined) return []
  return [{ audit: 'pii', organizationId, fields: ['Query.invitation'] }]
}
