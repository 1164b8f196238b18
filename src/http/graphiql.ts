import type { GraphiQLOptions as PageOptions } from 'graphql-yoga'
import { type GraphiQLCaller, ROOT, withCallers } from './graphiql-callers.ts'

export interface GraphiQLOptions {
  /** Whom its reader can be, by choosing; empty: whoever the Headers tab says. */
  readonly callers: readonly GraphiQLCaller[]
}

/** What Yoga is told of GraphiQL; `null`: there is none. */
export function graphiqlOf(options: GraphiQLOptions | null) {
  if (options === null) return { graphiql: false as const }
  return {
    graphiql: {
      title: 'Identity Gateway',
      defaultQuery: FIRST_QUERY,
      // Where callers can be chosen, a page must not remember who somebody was by an earlier token.
      shouldPersistHeaders: options.callers.length === 0,
    },
    // The page is nine megabytes of script that only its readers need; from a package, so that no network is needed.
    renderGraphiQL: async (page?: PageOptions) => {
      const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
      return withCallers(withFirstQuery(renderGraphiQL(page)), options.callers)
    },
  }
}

/** GraphiQL knows its tab again by a query that it stores with the first change; until then a visit would add a tab. */
function withFirstQuery(page: string): string {
  const script = `localStorage.setItem('graphiql:query', localStorage.getItem('graphiql:query') ?? ${JSON.stringify(FIRST_QUERY)})`
  return page.replace(ROOT, () => `<script>${script}</script>${ROOT}`)
}

const FIRST_QUERY = `# Who am I, and with whom do I work? A token goes under Headers:
# { "Authorization": "Bearer <a JWT of Better Auth>" }
query Viewer {
  viewer {
    name
    organizations(first: 5) {
      nodes {
        name
        viewerPermissions
        members(first: 10) {
          totalCount
          nodes {
            roles
            user {
              name
              email
            }
          }
        }
      }
    }
  }
}
`
