import { standing } from './callers.ts'
import type { Demo } from './demo.ts'
import type { DemoPerson } from './seed.ts'

/** One line of JSON for programs. */
export function toJsonLine({ stop: _, people, ...demo }: Demo): string {
  const known = people.map(({ name: _, platformAdmin: __, ...person }) => person)
  return JSON.stringify({ ...demo, people: known })
}

/** For a person at a terminal. What to do comes last, because that is what a terminal still shows. */
export function toText(demo: Demo): string {
  const [first] = demo.people
  return [
    'Tokens, each on one line, good for 12 hours:',
    ...demo.people.map(({ name, token }) => `${name}\n${token}`),
    `A service with every scope\n${demo.service.token}`,
    table(demo.people),
    facts(demo),
    `1. Open ${demo.graphql} and run the query it shows: you are ${first?.name}. Be somebody else by "Ask as", above it.`,
    `2. Programs ask with a token:\n\n${curl(demo)}`,
    'Ctrl-C stops everything and leaves nothing behind.',
    '',
  ].join('\n\n')
}

function curl({ graphql, people: [first] }: Demo): string {
  const body = JSON.stringify({ query: '{ viewer { name organizations { nodes { name } } } }' })
  return `curl ${graphql} -H 'content-type: application/json' -H 'authorization: Bearer ${first?.token}' -d '${body}'`
}

function facts({ graphql, auth, database, databaseOwner, redis }: Demo): string {
  const cache = redis === null ? 'in this process (no redis-server found)' : withoutPassword(redis)
  return columns([
    ['GraphiQL', graphql],
    ['Better Auth', auth],
    ['PostgreSQL, as the gateway', database],
    ['PostgreSQL, as its owner', databaseOwner],
    ['Permission cache', redis === null ? cache : `Redis at ${cache}`],
  ])
}

function table(people: readonly DemoPerson[]): string {
  return columns([
    ['NAME', 'EMAIL', 'PASSWORD', 'ORGANIZATIONS WITH ROLES'],
    ...people.map((person) => [person.name, person.email, person.password, standing(person)]),
  ])
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The address may be of somebody's own Redis, and terminals are shown to others. */
function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/g, ':***@')
}
