import type { Head } from './head.ts'

/** What somebody is told who opens the address of the gateway itself, and nothing that is not for everybody. */
export interface About {
  readonly json: string
  /** For browsers; `null`: they are shown no pages, and so the same as programs. */
  readonly html: string | null
}

const NAME = 'Identity Gateway'
const WHAT =
  'A read-only GraphQL API over what Better Auth keeps: people, organizations, memberships.'

const documents = {
  'GraphQL over HTTP': 'https://graphql.github.io/graphql-over-http/draft/',
  'Better Auth': 'https://www.better-auth.com/docs',
}

/** @param graphiql Whether browsers are shown GraphiQL, which has the documentation of every field. */
export function describeGateway(endpoint: string, graphiql: boolean): About {
  const places = {
    graphql: endpoint,
    ...(graphiql && { graphiql: endpoint }),
    health: '/health',
    ready: '/ready',
  }
  return {
    json: `${JSON.stringify({ name: NAME, description: WHAT, ...places, documents })}\n`,
    html: graphiql ? pageOf(endpoint) : null,
  }
}

function pageOf(endpoint: string): string {
  const links = [
    [endpoint, 'Ask, and read what every field means (GraphiQL)'],
    ['/ready', 'Whether it is ready'],
    ...Object.entries(documents).map(([name, url]) => [url, name]),
  ].map(([url, text]) => `<li><a href="${url}">${text}</a></li>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${NAME}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em; color-scheme: light dark; }
</style>
<main>
  <h1>${NAME}</h1>
  <p>${WHAT}</p>
  <p>Programs ask by <code>POST ${endpoint}</code>, with a token as <code>Authorization: Bearer …</code>; its
    <code>README.md</code> and <code>docs/</code> say which tokens count, and who sees what.</p>
  <ul>
    ${links.join('\n    ')}
  </ul>
</main>
</html>
`
}

/** In HTML for browsers, else in JSON. */
export function tellAbout({ json, html }: About, { header }: Head) {
  const page = /\btext\/html\b/i.test(header('accept') ?? '') ? html : null
  return {
    status: 200,
    headers: {
      'content-type': `${page === null ? 'application/json' : 'text/html'}; charset=utf-8`,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: page ?? json,
  }
}
