import {
  type GraphQLSchema,
  Kind,
  lexicographicSortSchema,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  printSchema,
} from 'graphql'

/** Directives, as they are written, by what they stand on: `Type` or `Type.field`. */
export type Directives = Readonly<Record<string, string>>

/**
 * A graph in GraphQL's schema language, sorted: what `head` says, then its types with directives on them. What the graph
 * does not have is passed over.
 */
export function printSdl(schema: GraphQLSchema, head: string, ...all: Directives[]): string {
  const document = parse(printSchema(lexicographicSortSchema(schema)))
  const definitions = document.definitions.map((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION ? annotate(definition, all) : definition,
  )
  return `${head}\n\n${print({ ...document, definitions })}\n`
}

function annotate(
  type: ObjectTypeDefinitionNode,
  all: readonly Directives[],
): ObjectTypeDefinitionNode {
  const read = (place: string) => {
    const directives = all.map((one) => one[place] ?? '').join(' ')
    const [scalar] = parse(`scalar Any ${directives}`).definitions
    return scalar?.kind === Kind.SCALAR_TYPE_DEFINITION ? (scalar.directives ?? []) : []
  }
  return {
    ...type,
    directives: read(type.name.value),
    fields: (type.fields ?? []).map((field) => ({
      ...field,
      directives: [...(field.directives ?? []), ...read(`${type.name.value}.${field.name.value}`)],
    })),
  }
}
