import { version } from '../telemetry/version.ts'
import type { Head } from './head.ts'

/** What somebody is told who opens the address of the gateway itself, and nothing that is not for everybody. */
export interface About {
  readonly json: string
  readonly html: string
}

const NAME = 'Identity Gateway'
const WHAT =
  'A read-only GraphQL API over what Better Auth keeps: people, organizations, memberships.'

/** @param graphiql Whether browsers are shown GraphiQL, which has the documentation of every field. */
export function describeGateway(endpoint: string, graphiql: boolean): About {
  const places = {
    graphql: endpoint,
    ...(graphiql && { graphiql: endpoint }),
    health: '/health',
    ready: '/ready',
  }
  return {
    json: `${JSON.stringify({ name: NAME, version, description: WHAT, ...places, documents })}\n`,
    html: pageOf(endpoint, graphiql),
  }
}

const documents = {
  'GraphQL over HTTP': 'https://graphql.github.io/graphql-over-http/draft/',
  'Better Auth': 'https://www.better-auth.com/docs',
}

function pageOf(endpoint: string, graphiql: boolean): string {
  const links = [
    [endpoint, graphiql ? 'Ask, and read what every field means (GraphiQL)' : 'GraphQL'],
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
  const isBrowser = /\btext\/html\b/i.test(header('accept') ?? '')
  const type = isBrowser ? 'text/html' : 'application/json'
  return {
    status: 200,
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
    body: isBrowser ? html : json,
  }
}
