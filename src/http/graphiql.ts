/** Somebody a reader of GraphiQL can be, by choosing a name. */
export interface GraphiQLCaller {
  readonly name: string
  /** `null`: nobody, without a credential. */
  readonly token: string | null
}

/**
 * What Yoga is told of GraphiQL.
 * @param callers Whom its reader can be, by choosing; empty: whoever the Headers tab says. `null`: there is no GraphiQL.
 */
export function graphiqlOf(callers: readonly GraphiQLCaller[] | null) {
  if (callers === null) return { graphiql: false as const }
  return {
    graphiql: {
      title: 'Identity Gateway',
      defaultQuery: FIRST_QUERY,
      // Where callers can be chosen, a page must not remember who somebody was by an earlier token.
      shouldPersistHeaders: callers.length === 0,
    },
    // The page is nine megabytes of script that only its readers need; from a package, so that no network is needed.
    // What the package exports reaches this declaration, so it names no type of Yoga's, which have declarations of their own.
    renderGraphiQL: async (page?: object) => {
      const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
      return withCallers(withFirstQuery(renderGraphiQL(page)), callers)
    },
  }
}

/** Where GraphiQL's page has what its script fills; what has to be there before the script goes before it. */
const ROOT = '<div id="root">'

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

/**
 * GraphiQL's page with a choice of callers above it, the first one chosen. Every request carries the token of whoever
 * is chosen, unless the Headers tab has an Authorization of its own; choosing runs the query again.
 */
function withCallers(page: string, callers: readonly GraphiQLCaller[]): string {
  if (callers.length === 0) return page
  const data = JSON.stringify(callers).replaceAll('<', '\\u003c')
  return page.replace(ROOT, () => `${choice}<script>(${script})(${data})</script>${ROOT}`)
}

const choice = `<style>
  body { display: flex; flex-direction: column; height: 100vh; }
  #root { flex: 1; min-height: 0; }
  #root .graphiql-container, #root .graphiql-main { height: 100%; }
  #callers { display: flex; gap: 8px; align-items: center; padding: 8px 16px; font: 14px/1.4 system-ui, sans-serif;
    background: hsl(219 29% 18%); color: white; }
  #callers select { font: inherit; padding: 2px 6px; max-width: 32em; }
</style>
<label id="callers">Ask as <select></select></label>`

/** Runs in the browser. The choice is remembered by name, so it outlives tokens; the answer shown is always theirs. */
const script = `(callers) => {
  const select = document.querySelector('#callers select')
  for (const { name } of callers) select.append(new Option(name))
  const stored = callers.findIndex(({ name }) => name === localStorage.getItem('identity-gateway:caller'))
  select.selectedIndex = Math.max(0, stored)
  select.onchange = () => {
    localStorage.setItem('identity-gateway:caller', select.value)
    document.querySelector('.graphiql-execute-button')?.click()
  }
  const send = window.fetch
  window.fetch = (resource, options = {}) => {
    const headers = new Headers(options.headers)
    const { token } = callers[select.selectedIndex]
    if (token !== null && !headers.has('authorization')) headers.set('authorization', 'Bearer ' + token)
    return send(resource, { ...options, headers })
  }
}`
