import {
  __Directive,
  __Field,
  __Schema,
  __Type,
  type GraphQLField,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql'

export type Sizes = ReadonlyMap<GraphQLField<unknown, unknown>, number>

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
  const directives = schema.getDirectives()
  const lists = [
    [__Schema, { types: types.length, directives: directives.length }],
    [
      __Type,
      {
        fields: fields.length / types.length,
        inputFields: inputs.length / types.length,
        enumValues: values.length / types.length,
        interfaces: 1,
        possibleTypes: 1,
      },
    ],
    [__Field, { args: args.length / fields.length }],
    [__Directive, { args: 2 }],
  ] as const
  return new Map(
    lists.flatMap(([type, lengths]) =>
      Object.entries(lengths).flatMap(([name, length]) => {
        const field = type.getFields()[name]
        return field ? [[field, length] as const] : []
      }),
    ),
  )
}
