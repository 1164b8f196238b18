/** Somebody a reader of GraphiQL can be, by choosing a name. */
export interface GraphiQLCaller {
  readonly name: string
  /** `null`: nobody, without a credential. */
  readonly token: string | null
}

/** Where GraphiQL's page has what its script fills; what has to be there before the script goes before it. */
export const ROOT = '<div id="root">'

/**
 * GraphiQL's page with a choice of callers above it, the first one chosen. Every request carries the token of whoever
 * is chosen, unless the Headers tab has an Authorization of its own; choosing runs the query again.
 */
export function withCallers(page: string, callers: readonly GraphiQLCaller[]): string {
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
