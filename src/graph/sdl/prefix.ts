import {
  type ASTNode,
  GraphQLSchema,
  isSpecifiedScalarType,
  Kind,
  type NameNode,
  parse,
  print,
  visit,
} from 'graphql'

/**
 * Names that stay as they are: what other subgraphs refer to or have as well, and what GraphQL and federation name
 * themselves. Whatever else a graph has may stand in another's way.
 */
const kept: ReadonlySet<string> = new Set([
  ...['Query', 'Subscription', 'User', 'Organization', 'Member', 'Team', 'Invitation'],
  ...['PageInfo', 'DateTime', 'JSON', 'ID', 'String', 'Int', 'Float', 'Boolean'],
])

function isKept(name: string): boolean {
  return kept.has(name) || name.startsWith('_')
}

/** The same graph, in which types are named with a prefix: those objects themselves, whatever else holds them. */
export function withPrefix(schema: GraphQLSchema, prefix: string): GraphQLSchema {
  if (prefix === '') return schema
  for (const type of Object.values(schema.getTypeMap()))
    if (!isSpecifiedScalarType(type) && !isKept(type.name)) type.name = `${prefix}${type.name}`
  return new GraphQLSchema(schema.toConfig())
}

/** The same of a graph in its language. Names of directives and fields are left alone. */
export function prefixed(sdl: string, prefix: string): string {
  if (prefix === '') return sdl
  const document = visit(parse(sdl), {
    enter: (node) => (namesType(node) ? { ...node, name: named(node.name, prefix) } : undefined),
  })
  return `${print(document)}\n`
}

function named(name: NameNode, prefix: string): NameNode {
  return isKept(name.value) ? name : { ...name, value: `${prefix}${name.value}` }
}

const namesOfTypes: readonly string[] = [
  Kind.NAMED_TYPE,
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
]

function namesType(node: ASTNode): node is ASTNode & { readonly name: NameNode } {
  return namesOfTypes.includes(node.kind)
}
