import { isPersonal } from '../access/audiences.ts'
import type {
  AdditionalField,
  AdditionalType,
  AdditionalValues,
  ExtensibleModel,
} from '../domain/additional-field.ts'
import type { Graph } from './graph.ts'
import { wholeUser } from './user.ts'

/** Fields of the application's own, on the types whose tables have columns for them. */
export function defineAdditionalFields(graph: Graph) {
  const { additional, organizations } = graph.features
  define(graph, 'User', additional.User)
  if (!organizations) return
  define(graph, 'Organization', additional.Organization)
  define(graph, 'Member', additional.Member)
}

interface Entity {
  readonly id: string
  /** Of a user, as the caller reached them. */
  readonly coMember?: true
  /** Absent: only a summary of a user is known. */
  readonly additional?: AdditionalValues
}

function define(graph: Graph, type: ExtensibleModel, fields: readonly AdditionalField[]) {
  const { builder, refs } = graph
  // The names are not known to the compiler, and so any of the three stands for all.
  const ref = refs[type] as typeof refs.Member
  for (const field of fields) {
    const [, element] = /^\[(.*)\]$/.exec(field.type) ?? []
    builder.objectField(ref, field.name, (t) =>
      t.field({
        type: (element === undefined ? field.type : [element]) as 'String',
        nullable: true,
        description: field.description,
        extensions: { personal: isPersonal(field.visibleTo) },
        resolve: async (entity: Entity, _args, context) => {
          await context.viewer.requireAdditional(field, type === 'User' ? entity : null)
          const values = entity.additional ?? (await wholeUser(context, entity))?.additional
          return show(field.type, values?.[field.name]) as string | null
        },
      }),
    )
  }
}

/** `null` for what is not of the type. JSON and lists may be kept as JSON in a text. */
function show(type: AdditionalType, stored: unknown): unknown {
  if (stored === null || stored === undefined) return null
  if (type === 'JSON') return parsed(stored)
  const [, element] = /^\[(.*)\]$/.exec(type) ?? []
  if (element === undefined) {
    if (!isOf(type, stored)) return null
    return type === 'DateTime' ? new Date(stored as Date | string) : stored
  }
  const list = parsed(stored)
  return Array.isArray(list) ? list.filter((value) => isOf(element, value)) : null
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'Boolean') return typeof value === 'boolean'
  if (type === 'Float') return typeof value === 'number'
  if (type === 'Int') return typeof value === 'number' && (value | 0) === value
  if (type === 'DateTime')
    return (
      (value instanceof Date || typeof value === 'string') &&
      !Number.isNaN(new Date(value).valueOf())
    )
  return typeof value === 'string'
}

function parsed(stored: unknown): unknown {
  if (typeof stored !== 'string') return stored
  try {
    return JSON.parse(stored)
  } catch {
    return stored
  }
}
