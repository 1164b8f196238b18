import {
  type ConstDirectiveNode,
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
export function printSdl(schema: GraphQLSchema, head: string, directives: Directives): string {
  const document = parse(printSchema(lexicographicSortSchema(schema)))
  const definitions = document.definitions.map((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION ? annotate(definition, directives) : definition,
  )
  return `${head}\n\n${print({ ...document, definitions })}\n`
}

function annotate(
  type: ObjectTypeDefinitionNode,
  directives: Directives,
): ObjectTypeDefinitionNode {
  return {
    ...type,
    directives: read(directives[type.name.value]),
    fields: (type.fields ?? []).map((field) => ({
      ...field,
      directives: [
        ...(field.directives ?? []),
        ...read(directives[`${type.name.value}.${field.name.value}`]),
      ],
    })),
  }
}

function read(directives = ''): readonly ConstDirectiveNode[] {
  const [type] = parse(`scalar Any ${directives}`).definitions
  return type?.kind === Kind.SCALAR_TYPE_DEFINITION ? (type.directives ?? []) : []
}
