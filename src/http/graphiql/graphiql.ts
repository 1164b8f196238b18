import { type GraphQLSchema, parse, validate } from 'graphql'
import { pageOf } from './page.ts'
import { samples as general } from './samples.ts'

/** Somebody a reader of GraphiQL can be, by choosing a name. */
export interface GraphiQLCaller {
  readonly name: string
  /** `null`: nobody, without a credential. */
  readonly token: string | null
  /** The headings below which it is offered, such as organizations, each with what the caller is there. */
  readonly groups?: Readonly<Record<string, string>>
}

/** An operation that GraphiQL opens with, in a tab of its own. */
export interface GraphiQLSample {
  readonly title: string
  readonly query: string
  /** As JSON. */
  readonly variables?: string
}

export interface GraphiQLParts {
  /** Whom a reader of GraphiQL can be, by choosing; without any: whoever the Headers tab or a session says. */
  readonly graphiqlCallers?: readonly GraphiQLCaller[]
  /** What GraphiQL opens with, beside operations that any graph has. */
  readonly graphiqlSamples?: readonly GraphiQLSample[]
}

/**
 * What Yoga is told of GraphiQL.
 * @param parts `null`: there is no GraphiQL.
 */
export function graphiqlOf(parts: GraphiQLParts | null, schema: GraphQLSchema) {
  if (parts === null) return { graphiql: false as const }
  const { graphiqlCallers: callers = [], graphiqlSamples: given = [] } = parts
  // Databases lack tables of plug-ins, and their graphs the fields of these.
  const fits = ({ query }: Pick<GraphiQLSample, 'query'>) =>
    validate(schema, parse(query)).length === 0
  return {
    graphiql: true,
    // The page is nine megabytes of script that only its readers need; from a package, so that no network is needed.
    renderGraphiQL: async () => {
      const program = await import('@graphql-yoga/render-graphiql/graphiql')
      const samples = [...general, ...given].filter(fits)
      const who = WHO.find((query) => fits({ query }))
      return pageOf({ callers, samples, who }, program)
    },
  }
}

/** What the line "You are …" is made of: the first of these that the graph has. */
const WHO = [
  '{ viewer { name organizations(first: 10) { totalCount edges { roles node { name } } } } }',
  '{ viewer { name } }',
]
