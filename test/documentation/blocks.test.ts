import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Kind, parse, validate } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { groups } from '../../src/config/config.ts'
import { accessControl } from '../../src/demo/access-control.ts'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import { readFields } from '../../src/introspection/additional.ts'
import { readPolicyTests } from '../../src/permissions/policy-tests.ts'
import { runCli } from '../support/cli.ts'
import { schema } from '../support/cost.ts'
import { type Block, documentedBlocks, pages, pageText } from '../support/documentation.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'
import { programs, textOf } from './programs.ts'

const { gateway, environment: usual, identity, ada, acme } = await world({ own: true })

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Pages whose blocks are run, compiled or compared by tests of their own. */
const heldElsewhere: Readonly<Record<string, string>> = {
  'deploy/README.md': 'test/deploy and test/long/containers.test.ts',
  'docs/authzen.md': 'test/long/nginx.test.ts',
  'docs/clients.md': 'test/long/clients.test.ts',
  'docs/graph.md': 'test/long/schema.test.ts',
  'docs/screens.md': 'test/screens/screens.test.ts',
  'docs/subscriptions.md': 'test/long/subscriptions.test.ts',
}
const blocks = documentedBlocks(pages.filter((page) => !heldElsewhere[page]))
const of = (language: string) =>
  blocks.filter(
    (block) =>
      block.language === language && !runElsewhere.some((marker) => block.text.includes(marker)),
  )
/** In test/federation, test/plugins and test/long/hosting.test.ts, with the packages that they take. */
const runElsewhere = [
  '# leave.graphql',
  'new ApolloGateway(',
  'stitchSchemas(',
  'type Passkey ',
  'esbuild server.ts',
]
const packageOf = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))

let directory: string
let environment: Record<string, string>

beforeAll(async () => {
  // In the repository, so that its own packages and itself are found by their names.
  directory = await mkdtemp(join(root, '.documentation-'))
  const roles = join(directory, 'access-control.json')
  await writeFile(roles, JSON.stringify(accessControl))
  environment = {
    PATH: process.env.PATH ?? '',
    ...usual,
    ACCESS_CONTROL_FILE: roles,
    LOG_LEVEL: 'silent',
    AUTHORIZATION: `Bearer ${await ada.jwt()}`,
    BETTER_AUTH_URL: identity.betterAuth.url,
    SESSION: ada.session,
    REDIS_URL: useRedis().url,
    ORGANIZATION_ID: acme.id,
  }
  await compilePrograms()
})

afterAll(async () => {
  if (directory) await rm(directory, { recursive: true })
})

test('every block is in a language that is run or read here', () => {
  expect(blocks.length).toBeGreaterThan(5)
  // Those of redis, ini, jsonl and mermaid are run, read or drawn elsewhere: test/doctor/redis.test.ts,
  // test/long/pgbouncer.test.ts, test/audit/audit.test.ts and test/long/diagrams.test.ts. Texts are for people alone.
  const known = ['ts', 'graphql', 'sh', 'json', 'redis', 'ini', 'jsonl', 'mermaid', 'text', '']
  const unknown = blocks.filter(({ language }) => !known.includes(language))
  expect(unknown).toEqual([])
})

const programOf = ({ text }: Block) => programs.filter(({ marker }) => text.includes(marker))
const fileOf = ({ page, line }: Block) => `${page.replaceAll(/\W/g, '-')}-${line}`
const placeOf = ({ page, line }: Block) => `${page}, line ${line}`

async function compilePrograms(): Promise<void> {
  for (const block of of('ts')) {
    const [program] = programOf(block)
    const file = join(directory, fileOf(block))
    if (program?.imports) await writeFile(`${file}-block.ts`, block.text)
    if (program)
      await writeFile(`${file}.ts`, textOf(program, block.text, `./${fileOf(block)}-block.ts`))
  }
  const include = ['*.ts']
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: 'out',
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', directory]).catch(
    ({ stdout }) => {
      throw new Error(`What is documented does not compile: ${stdout}`)
    },
  )
}

test.each(of('ts').map((block) => [placeOf(block), block] as const))(
  'the program of %s compiles and answers',
  async (_, block) => {
    const [program, ...others] = programOf(block)
    if (!program || others.length > 0) throw new Error('No program is known, or several are.')
    const run = promisify(execFile)(
      process.execPath,
      [join(directory, 'out', `${fileOf(block)}.js`)],
      {
        env: environment,
      },
    )
    const { stdout } = await run
    expect(JSON.parse(stdout)).toEqual(program.prints)
  },
)

test('no program is known that is not there', () => {
  for (const { marker } of programs)
    expect(of('ts').filter(({ text }) => text.includes(marker))).toHaveLength(1)
})

const queries = of('graphql').filter(({ text }) => text.startsWith('{'))
test.each(queries.map((block) => [placeOf(block), block.text] as const))(
  'the query of %s is answered',
  async (_, query) => {
    const token = environment.AUTHORIZATION?.replace('Bearer ', '')
    const { data, errors } = await gateway.graphql(query, { token })
    expect(errors).toEqual([])
    expect(data.viewer.organizations.edges).toHaveLength(1)
  },
)

test.each(
  of('graphql')
    .filter((block) => !queries.includes(block))
    .map((block) => [placeOf(block), parse(block.text)] as const),
)('what %s shows is GraphQL, and of this graph where it asks', (_, document) => {
  const asks = document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  if (asks) expect(validate(schema, document)).toEqual([])
})

test.each(of('json').map((block) => [placeOf(block), block.text] as const))(
  'the file of %s is accepted',
  async (_, text) => {
    const file = join(directory, 'documents.json')
    await writeFile(file, text)
    if (text.includes('"cases"'))
      return expect(readPolicyTests(JSON.parse(text)).cases).toHaveLength(3)
    const [, shown] = /"(visibleTo|absent)"/.exec(text) ?? []
    if (shown)
      return expect(await readFields(file)).toHaveProperty(shown === 'absent' ? 'absent' : 'User')
    const config = loadConfig({ ...environment, TRUSTED_DOCUMENTS_FILE: file })
    expect(Object.keys(config.http.trustedDocuments ?? {})).not.toEqual([])
    await createGateway(config).close()
  },
)

const variables = new Set<string>(groups.flatMap((group) => Object.keys(group.variables)))

describe('commands', () => {
  const { scripts } = packageOf('package.json')
  const commands = of('sh').flatMap((block) =>
    block.text
      .split(/\n|&&/)
      .map((command) => [placeOf(block), command.replace(/[#>].*/, '').trim()] as const),
  )

  test.each(commands)('%s: %s', async (_, command) => {
    const words = command.split(' ')
    const assigned =
      /^(?:[A-Z_]+=\S+ )*/
        .exec(command)?.[0]
        .trim()
        .split(' ')
        .flatMap((word) => word.split('=', 1).filter(Boolean)) ?? []
    for (const name of assigned) expect([...variables]).toContain(name)
    const [tool, name = '', ...rest] = words.slice(assigned.length)
    if (tool === 'npm' && name === 'ci')
      expect(existsSync(join(root, 'package-lock.json'))).toBe(true)
    else if (tool === 'npm') expect(Object.keys(scripts)).toContain(name === 'run' ? rest[0] : name)
    else if (tool === 'npx' && name === '--no-install')
      expect((await runCli(['--help'])).stdout).toMatch(new RegExp(`^ {2}${rest[1]} `, 'm'))
    else if (tool === 'npx')
      expect(Object.keys(packageOf('test/bff/package.json').devDependencies)).toContain(
        name === 'graphql-codegen' ? '@graphql-codegen/cli' : name,
      )
    else if (tool === 'docker' || command.startsWith('layout=')) await checkContainer(command)
    else throw new Error('Nobody has said what this command is.')
  })

  async function checkContainer(command: string) {
    const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
    for (const [, target] of command.matchAll(/--target (\w+)/g))
      expect(dockerfile).toContain(`AS ${target}\n`)
    for (const [, name] of command.matchAll(/dist\/cli\.js (\w+)/g))
      expect((await runCli(['--help'])).stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
    for (const [, name = ''] of command.matchAll(/-e (\w+)=/g))
      expect([...variables]).toContain(name)
  }

  test('that the text names are scripts of this package', () => {
    const text = pages.map(pageText).join('\n')
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '')
    expect(named.length).toBeGreaterThan(3)
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
})

test.each(of('').map((block) => [placeOf(block), block.text] as const))(
  'what %s shows is there',
  (_, text) => {
    for (const line of text.split('\n')) {
      const [path = ''] = line.split(' ')
      expect(existsSync(join(root, path)), path).toBe(true)
    }
  },
)
