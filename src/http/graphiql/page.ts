import { readEvents } from './events.ts'
import type { GraphiQLCaller, GraphiQLSample } from './graphiql.ts'
import { script } from './script.ts'
import { style } from './style.ts'

interface Given {
  readonly callers: readonly GraphiQLCaller[]
  readonly samples: readonly GraphiQLSample[]
  /** Asks for the name of whoever calls, and as what they belong where. */
  readonly who: string | undefined
}

/** What the package of GraphiQL is made of, as texts. */
interface Program {
  readonly js: string
  readonly css: string
  readonly editorWorkerService: string
  readonly jsonWorker: string
  readonly graphqlWorker: string
}

/** One page with everything in it. It asks where it is itself, so it is right wherever the gateway is mounted. */
export function pageOf(given: Given, program: Program): string {
  const { css, js, editorWorkerService: editor, jsonWorker: json, graphqlWorker: graphql } = program
  // By the names under which the editor asks for them.
  const workers = { editorWorkerService: editor, json, graphql }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Identity Gateway</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(mark)}">
<style>${css}${style}</style>
</head>
<body class="no-focus-outline">
${bar(given)}
<main id="root"><noscript>GraphiQL needs JavaScript.</noscript></main>
<script>
const workers = ${inScript(workers)}
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_, label) =>
    URL.createObjectURL(new Blob([workers[label]], { type: 'application/javascript' })),
}
</script>
<script>${js}</script>
<script>((${script})(${readEvents}))(${inScript(given)})</script>
</body>
</html>
`
}

/** JSON that ends no script. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** A gate with a keyhole. */
const mark = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#1d4ed8"/><path d="M7 26V15a9 9 0 0 1 18 0v11" fill="none" stroke="#fff" stroke-width="3"/><circle cx="16" cy="16.500" r="3" fill="#fff"/><path d="M16 17l2.500 8h-5z" fill="#fff"/></svg>`

function bar({ callers }: Given): string {
  const choice = `<div id="callers"><label for="caller">Ask as</label> <select id="caller"></select></div>`
  return `<header id="bar">
<h1>${mark} Identity Gateway</h1>
${callers.length > 0 ? choice : ''}
<div id="tools">
<button type="button" popovertarget="samples">Samples</button>
<button type="button" popovertarget="history">History</button>
<button type="button" id="curl">Copy as curl</button>
<button type="button" popovertarget="help">Help</button>
</div>
<p id="who" role="status"></p>
<p id="cost" role="status"></p>
<div id="samples" popover><h2>Samples</h2><ul></ul></div>
<div id="history" popover><h2>History</h2><ul></ul></div>
<div id="help" popover><h2>Help</h2>${help(callers.length > 0)}</div>
</header>`
}

function help(canChoose: boolean): string {
  const credential = canChoose
    ? 'Whoever is chosen under <b>Ask as</b> asks. An <code>Authorization</code> under <b>Headers</b> goes before it.'
    : 'Put <code>{ "Authorization": "Bearer …" }</code> under <b>Headers</b>, below the query. It is forgotten with this page. Without it you are whoever is signed in here, where sessions count.'
  return `<ul>
<li>${credential}</li>
<li>The book at the left explains every type and field; the folder beside it puts queries together by clicks.</li>
<li>Ctrl-Enter runs, Ctrl-Space completes, Shift-Ctrl-P formats.</li>
<li>Fields that are not for you are null, and <code>errors</code> says which and why. What an answer cost is in
<code>extensions.cost</code>, since this page asks for it with <code>X-Graphql-Cost: 1</code>.</li>
<li>README.md of identity-gateway tells who sees what, of permissions, errors and limits; its docs/clients.md is for Relay, Apollo
Client, urql and code generators. Changes are made with <a href="https://better-auth.com/docs" target="_blank" rel="noreferrer">Better Auth</a>.</li>
</ul>`
}
