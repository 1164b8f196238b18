import {
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql'

/** By the name of the type and that of the field. */
export type Sizes = ReadonlyMap<string, number>

const known = new WeakMap<GraphQLSchema, Sizes>()

/**
 * How long the lists of introspection are in this graph: on average over its types, so that tools which read all of it
 * are counted for what they get, while nesting and repeating still multiply.
 */
export function introspectionSizes(schema: GraphQLSchema): Sizes {
  const sizes = known.get(schema) ?? measure(schema)
  known.set(schema, sizes)
  return sizes
}

function measure(schema: GraphQLSchema): Sizes {
  const types = Object.values(schema.getTypeMap())
  const fields = types
    .filter((type) => isObjectType(type) || isInterfaceType(type))
    .flatMap((type) => Object.values(type.getFields()))
  const args = fields.flatMap((field) => field.args)
  const inputs = types.filter(isInputObjectType).flatMap((type) => Object.keys(type.getFields()))
  const values = types.filter(isEnumType).flatMap((type) => type.getValues())
  return new Map([
    ['__Schema.types', types.length],
    ['__Schema.directives', schema.getDirectives().length],
    ['__Type.fields', fields.length / types.length],
    ['__Type.inputFields', inputs.length / types.length],
    ['__Type.enumValues', values.length / types.length],
    ['__Type.interfaces', 1],
    ['__Type.possibleTypes', 1],
    ['__Field.args', args.length / fields.length],
    ['__Directive.args', 2],
  ])
}
