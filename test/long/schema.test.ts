import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printForm } from '../../src/graph/sdl/form.ts'
import { wholeGraph } from '../support/whole-graph.ts'

/* What tools of others say of the graph as it is printed, with everything that plug-ins keep. */

const packages = new URL('../schema/package.json', import.meta.url)
const graph = printForm(wholeGraph(), 'plain')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graph-'))
  await writeFile(join(folder, 'schema.graphql'), graph)
})
afterAll(() => rm(folder, { recursive: true }))

interface Problem {
  readonly ruleId: string
  readonly message: string
  readonly line: number
}

/** What graphql-eslint complains of and is to stay, by its rule. */
const exceptions: readonly (readonly [rule: string, complaint: RegExp, reason: string])[] = [
  [
    'naming-convention',
    /"fetch__\w+" should be in camelCase|"field_name" should be in camelCase/,
    "Relay's names, which its compiler looks for",
  ],
  [
    'no-typename-prefix',
    /^Field "(accountId|providerId|username|displayUsername)" starts with/,
    'what Better Auth calls them, as its own API does',
  ],
  [
    'relay-edge-types',
    /^A list type should only wrap an edge type/,
    'lists of values, lists by keys, and what nobody has pages of; and `nodes`, which spares clients the edges',
  ],
  [
    'relay-edge-types',
    /^Edge type's field `node` must implement `Node` interface/,
    'there is no node(id), see docs/graph.md: types are @fetchable instead',
  ],
  [
    'strict-id-in-types',
    /^type "(\w+Connection|\w+Edge|PageInfo)"/,
    'parts of a page, which are nothing without their list',
  ],
  [
    'strict-id-in-types',
    /^type "(ViewerChange|OrganizationChange|AccessChange)"/,
    'events, which are nothing once they have been told',
  ],
  [
    'strict-id-in-types',
    /^type "(ExplainedRole|OrganizationRole|PermissionDecision|PermissionExplanation)"/,
    'no rows: docs/graph.md says what caches do with them',
  ],
]

test("graphql-eslint's recommendations for schemas and those for Relay hold, but for what has a reason", async () => {
  const require = createRequire(packages)
  const { ESLint } = require('eslint')
  const plugin = require('@graphql-eslint/eslint-plugin').default
  const rulesOf = (name: string) => plugin.configs[name].rules ?? plugin.configs[name]
  const linter = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ['**/*.graphql'],
        languageOptions: {
          parser: plugin.parser,
          parserOptions: { graphQLConfig: { schema: join(folder, 'schema.graphql') } },
        },
        plugins: { '@graphql-eslint': plugin },
        rules: {
          ...rulesOf('flat/schema-recommended'),
          ...rulesOf('flat/schema-relay'),
          '@graphql-eslint/require-nullable-result-in-root': 'error',
          '@graphql-eslint/require-nullable-fields-with-oneof': 'error',
        },
      },
    ],
  })
  const [{ messages }] = await linter.lintFiles([join(folder, 'schema.graphql')])
  const problems = (messages as Problem[]).map(({ ruleId, message, line }) => {
    const rule = ruleId.replace('@graphql-eslint/', '')
    return { rule, message, line }
  })
  const used = new Set<unknown>()
  const left = problems.filter(({ rule, message }) => {
    const exception = exceptions.find(([of, complaint]) => of === rule && complaint.test(message))
    used.add(exception)
    return !exception
  })
  expect(left).toEqual([])
  expect(exceptions.filter((exception) => !used.has(exception))).toEqual([])
})

test("Relay's compiler makes queries of fragments that are to be refetched, as docs/graph.md shows", async () => {
  const docs = await readFile(new URL('../../docs/graph.md', import.meta.url), 'utf8')
  const [, shown = ''] = /```graphql\n(fragment Members_organization .*?)```/s.exec(docs) ?? []
  const fragments = [
    shown,
    'fragment Members_user on User @refetchable(queryName: "MembersUserQuery") { id name email }',
    'fragment Members_team on Team @refetchable(queryName: "MembersTeamQuery") { id name memberCount }',
    'fragment Members_member on Member @refetchable(queryName: "MembersMemberQuery") { id roles permissions }',
  ]
  const source = join(folder, 'src')
  await mkdir(source)
  await writeFile(
    join(source, 'Members.js'),
    fragments.map((fragment) => `graphql\`${fragment}\`\n`).join(''),
  )
  await writeFile(
    join(folder, 'relay.config.json'),
    JSON.stringify({ src: './src', schema: './schema.graphql', language: 'javascript' }),
  )
  const compiler = fileURLToPath(new URL('node_modules/relay-compiler/cli.js', packages))
  await promisify(execFile)(process.execPath, [compiler], { cwd: folder })
  const made = join(source, '__generated__')
  const texts = await Promise.all(
    (await readdir(made)).map((name) => readFile(join(made, name), 'utf8')),
  )
  const asked = texts.flatMap((text) => /fetch__\w+\(id: \$id\)/.exec(text) ?? [])
  expect(asked.toSorted()).toEqual([
    'fetch__Member(id: $id)',
    'fetch__Organization(id: $id)',
    'fetch__Team(id: $id)',
    'fetch__User(id: $id)',
  ])
})
