import type { Demo } from './demo.ts'
import type { DemoPerson } from './seed.ts'

/** One line of JSON for programs. */
export function toJsonLine({ stop: _, live: __, ...demo }: Demo): string {
  return JSON.stringify(demo)
}

/** For a person at a terminal: one screen, with what to do at its end, because that is what a terminal still shows. */
export function toText(demo: Demo): string {
  const [first] = demo.people
  return [
    people(demo.people),
    facts(demo),
    `1. Open ${demo.graphql}
   It opens with operations to run. You are ${first?.name}; be somebody else by "Ask as".`,
    `2. Ask with a token, good for 12 hours ("Copy as curl" has everybody's, and so has demo --json):

${curl(demo)}`,
    'Ctrl-C stops everything and leaves nothing behind.',
    '',
  ].join('\n\n')
}

function curl({ graphql, people: [first] }: Demo): string {
  const body = JSON.stringify({ query: '{ viewer { name organizations { nodes { name } } } }' })
  return `curl ${graphql} -H 'content-type: application/json' -H 'authorization: Bearer ${first?.token}' -d '${body}'`
}

function facts({ graphql, auth, live, database, databaseOwner, redis }: Demo): string {
  const cache = redis === null ? 'in this process (no redis-server found)' : withoutPassword(redis)
  return columns([
    ['GraphiQL', graphql],
    ['Better Auth', auth],
    ['Changes', `${live} in two windows`],
    ['PostgreSQL', database],
    ['… as owner', databaseOwner],
    ['Cache', redis === null ? cache : `Redis at ${cache}`],
  ])
}

/** Those who differ most, and how many there are besides: GraphiQL has everybody. */
function people(all: readonly DemoPerson[]): string {
  const shown = all.filter(
    ({ platformAdmin, organizations }, index) =>
      index === 0 ||
      platformAdmin ||
      organizations.length === 0 ||
      organizations.some(({ roles }) => roles.includes('owner')),
  )
  return [
    `Everybody signs in with the password: ${all[0]?.password}`,
    columns(shown.map((person) => [person.name, person.email, standing(person)])),
    `and ${all.length - shown.length} more, with every role there is.`,
  ].join('\n')
}

/** For example `owner of atlas-foods, in 2 more`. */
function standing({ platformAdmin, organizations }: DemoPerson): string {
  if (platformAdmin) return 'platform admin'
  const owned = organizations.find(({ roles }) => roles.includes('owner'))
  if (!owned) return organizations.length === 0 ? 'in no organization' : ''
  const others = organizations.length - 1
  return `owner of ${owned.slug}${others > 0 ? `, in ${others} more` : ''}`
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
