import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import type { DemoPerson } from './seed.ts'

/** An operation for GraphiQL to open with. */
export interface Screen {
  readonly title: string
  readonly query: string
  readonly variables: string
}

/** The repository's operations of a usual application, which tests hold. */
const folder = new URL('../../test/screens/', import.meta.url)

/** What the screens of a usual application ask, each about what the first of these people sees. */
export async function readScreens(
  databaseUrl: string,
  people: readonly DemoPerson[],
): Promise<readonly Screen[]> {
  const files = await readdir(folder).catch(() => [])
  const variables = await variablesFor(databaseUrl, people)
  return Promise.all(
    files
      .filter((file) => file.endsWith('.graphql'))
      .sort()
      .map(async (file) => {
        const text = await readFile(new URL(file, folder), 'utf8')
        const [, title = file] = /^# ([^:,.\n]+)/.exec(text) ?? []
        const given = variables[file.replace('.graphql', '')] ?? {}
        return {
          title,
          query: text.replaceAll(/^# .*$/gm, narrow),
          variables: JSON.stringify(given, null, 2),
        }
      }),
  )
}

/** By the names of files. */
async function variablesFor(
  databaseUrl: string,
  people: readonly DemoPerson[],
): Promise<Readonly<Record<string, object>>> {
  const organizations = people[0]?.organizations ?? []
  // Where that person may see most.
  const [own, other] = [...organizations].sort((one, another) => rank(one) - rank(another))
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const idOf = async (table: string, organization = own) => {
    const statement = `select id from ${table} where organization_id = $1 order by created_at limit 1`
    return (await client.query(statement, [organization?.id])).rows[0]?.id
  }
  try {
    const permissions = ['leave:approve', 'invitation:create', 'organization:delete']
    return {
      approvals: {
        requesters: people
          .filter((person) => person.organizations.some(({ id }) => id === other?.id))
          .map(({ userId }) => userId),
        organizations: organizations.map(({ id }) => id),
        permission: 'leave:approve',
      },
      gates: {
        checks: organizations.flatMap(({ id: organizationId }) =>
          permissions.map((permission) => ({ organizationId, permission })),
        ),
      },
      invitation: { invitation: await idOf('invitations', other) },
      members: { organization: other?.id },
      team: { team: await idOf('teams') },
    }
  } finally {
    await client.end()
  }
}

function rank({ roles }: DemoPerson['organizations'][number]): number {
  return roles.includes('owner') ? 0 : roles.includes('admin') ? 1 : 2
}

/** A comment that GraphiQL's editor shows beside its buttons. */
function narrow(comment: string): string {
  const lines = ['#']
  for (const word of comment.split(' ').slice(1)) {
    if ((lines.at(-1) ?? '').length + word.length > 55) lines.push('#')
    lines.push(`${lines.pop()} ${word}`)
  }
  return lines.join('\n')
}
