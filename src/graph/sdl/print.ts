import {
  type ASTNode,
  type ConstDirectiveNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  GraphQLSchema,
  type InputValueDefinitionNode,
  Kind,
  lexicographicSortSchema,
  type NameNode,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  printSchema,
  specifiedDirectives,
  visit,
} from 'graphql'

/**
 * Directives, as they are written, by what they stand on: `Type`, `Type.field`, `Type.field.argument`, or of an enum
 * `Type.VALUE`.
 */
export type Directives = Readonly<Record<string, string>>

/**
 * A graph in GraphQL's schema language, sorted: what `head` says, then its types with directives on them. What the graph
 * does not have is passed over.
 */
export function printSdl(
  schema: GraphQLSchema,
  head: readonly string[],
  ...all: Directives[]
): string {
  const document = visit(parse(printSchema(lexicographicSortSchema(schema))), {
    enter(node, _key, _parent, _path, ancestors) {
      if (!isAnnotated(node)) return undefined
      const place = [...ancestors.filter(isNamed), node].map(({ name }) => name.value)
      const added = all.flatMap((one) => read(one[place.join('.')]))
      return { ...node, directives: [...(node.directives ?? []), ...added] }
    },
  })
  return `${[...head, print(document)].join('\n\n')}\n`
}

/** For readers who take no directives but their own. */
export function withoutDirectives(schema: GraphQLSchema): GraphQLSchema {
  return new GraphQLSchema({ ...schema.toConfig(), directives: specifiedDirectives })
}

type Annotated =
  | ObjectTypeDefinitionNode
  | FieldDefinitionNode
  | InputValueDefinitionNode
  | EnumValueDefinitionNode

function isAnnotated(node: ASTNode): node is Annotated {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.FIELD_DEFINITION ||
    node.kind === Kind.INPUT_VALUE_DEFINITION ||
    node.kind === Kind.ENUM_VALUE_DEFINITION
  )
}

type Named = Extract<ASTNode, { readonly name: NameNode }>

function isNamed(node: ASTNode | readonly ASTNode[]): node is Named {
  return 'name' in node
}

function read(directives = ''): readonly ConstDirectiveNode[] {
  const [scalar] = parse(`scalar Any ${directives}`).definitions
  return scalar?.kind === Kind.SCALAR_TYPE_DEFINITION ? (scalar.directives ?? []) : []
}
