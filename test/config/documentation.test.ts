import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { groups } from '../../src/config/config.ts'
import { documentation } from '../../src/config/group.ts'

const page = new URL('../../docs/configuration.md', import.meta.url)

const OPENING = `# Configuration

Every environment variable that the gateway reads. An empty one counts as absent. Everything wrong with them is reported at
once, and the process ends with 2; \`serve\` writes it into its log (\`fatal\`), other commands to standard error. A variable
that is none of these and looks like one of them (\`LIMT_DEPTH\`) is named in the log when \`serve\` starts, and by \`doctor\`.

Each secret can be in a file instead: \`DATABASE_URL_FILE\`, \`DATABASE_LISTEN_URL_FILE\`, \`REDIS_URL_FILE\`,
\`REDIS_SENTINEL_PASSWORD_FILE\`, \`BETTER_AUTH_SECRET_FILE\` and \`BETTER_AUTH_SECRETS_FILE\` are paths. Quotes that were not
taken off, blanks at the ends, unknown values of \`sslmode\` and files of certificates that cannot be read keep the gateway from
starting, with a sentence for each; parameters of a URL that change nothing are told of as warnings.

\`node --env-file=gateway.env\` reads variables from a file: what follows a \`#\` is a comment unless the value is in quotes, so a
password with one is cut without a word; quotes are taken off, and \`\\n\` in double quotes is a line break. In a URL write \`%23\`.
\`docker run --env-file\` takes lines as they are, with quotes and all that follows a \`#\`.

This page is printed from the definitions in \`src/config/\`.
`

function printed(): string {
  const sections = groups.map(({ title, variables }) => {
    const rows = Object.entries(variables).map(([name, schema]) => {
      const said = documentation.get(schema)
      if (!said) throw new Error(`${name} has no documentation.`)
      return row(`\`${name}\``, said.description, said.otherwise, said.accepts)
    })
    const head = [row('variable', 'meaning', 'default', 'accepts'), '|---|---|---|---|']
    return [`\n## ${title}\n`, ...head, ...rows, ''].join('\n')
  })
  return [OPENING, ...sections].join('')
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

test('docs/configuration.md is what the definitions say', async () => {
  if (process.env.UPDATE_DOCS) await writeFile(page, printed())
  const committed = await readFile(page, 'utf8').catch(() => '')
  expect(
    committed === printed(),
    'docs/configuration.md is stale: run `UPDATE_DOCS=1 npx vitest run test/config/documentation.test.ts` and commit it.',
  ).toBe(true)
})

test('every variable is described in a sentence of one line', () => {
  for (const { variables } of groups)
    for (const [name, schema] of Object.entries(variables)) {
      const said = Object.values(documentation.get(schema) ?? {})
      expect(said, name).toHaveLength(3)
      for (const text of said) expect(text, name).toMatch(/^[^\n]+$/)
    }
})

test('a variable belongs to one group', () => {
  const names = groups.flatMap(({ variables }) => Object.keys(variables))
  expect(new Set(names).size).toBe(names.length)
})
