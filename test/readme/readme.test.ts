import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { groups } from '../../src/config/config.ts'
import { accessControl } from '../../src/demo/access-control.ts'
import { createGateway, loadConfig } from '../../src/gateway.ts'
import { readFields } from '../../src/introspection/additional.ts'
import { runCli } from '../support/cli.ts'
import { type Block, readme, readmeBlocks } from '../support/readme.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'
import { programs, textOf } from './programs.ts'

const { gateway, environment: usual, identity, ada, acme } = await world({ own: true })

const root = fileURLToPath(new URL('../..', import.meta.url))
const blocks = readmeBlocks()
const of = (language: string) =>
  blocks.filter(
    (block) =>
      block.language === language && !runElsewhere.some((marker) => block.text.includes(marker)),
  )
/** What takes the routers and composers of test/federation is compiled and composed there. */
const runElsewhere = ['# leave.graphql', 'new ApolloGateway(', 'stitchSchemas(']
const packageOf = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))

let directory: string
let environment: Record<string, string>

beforeAll(async () => {
  // In the repository, so that its own packages and itself are found by their names.
  directory = await mkdtemp(join(root, '.readme-'))
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
  // Those of redis, ini and jsonl are run or read elsewhere: test/doctor/redis.test.ts, test/long/pgbouncer.test.ts and
  // test/audit/audit.test.ts.
  const known = ['ts', 'graphql', 'sh', 'json', 'redis', 'ini', 'jsonl', '']
  const unknown = blocks.filter(({ language }) => !known.includes(language))
  expect(unknown).toEqual([])
})

const programOf = ({ text }: Block) => programs.filter(({ marker }) => text.includes(marker))
const fileOf = ({ line }: Block) => `line-${line}`

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
      throw new Error(`README.md does not compile: ${stdout}`)
    },
  )
}

test.each(of('ts').map((block) => [block.line, block] as const))(
  'the program of line %i compiles and answers',
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

test.each(of('graphql').map(({ line, text }) => [line, text] as const))(
  'the query of line %i is answered',
  async (_, query) => {
    const token = environment.AUTHORIZATION?.replace('Bearer ', '')
    const { data, errors } = await gateway.graphql(query, { token })
    expect(errors).toEqual([])
    expect(data.viewer.organizations.edges).toHaveLength(1)
  },
)

test.each(of('json').map(({ line, text }) => [line, text] as const))(
  'the file of line %i is accepted',
  async (_, text) => {
    const file = join(directory, 'documents.json')
    await writeFile(file, text)
    const [, shown] = /"(visibleTo|absent)"/.exec(text) ?? []
    if (shown)
      return expect(await readFields(file)).toHaveProperty(shown === 'absent' ? 'absent' : 'User')
    const config = loadConfig({ ...environment, TRUSTED_DOCUMENTS_FILE: file })
    expect(Object.keys(config.http.trustedDocuments ?? {})).not.toEqual([])
    await createGateway(config).close()
  },
)

const variables = new Set<string>(groups.flatMap((group) => Object.keys(group.variables)))

test('the table of variables has each that is read, and no other', () => {
  const [, section = ''] = readme.split('\n## Configuration\n')
  const cells = section
    .split('\n## ', 1)[0]
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1] ?? '')
  const named = cells?.flatMap((cell) => [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name))
  expect(variables.size).toBeGreaterThan(20)
  expect(named?.sort()).toEqual([...variables].sort())
})

describe('commands', () => {
  const { scripts } = packageOf('package.json')
  const commands = of('sh').flatMap(({ text, line }) =>
    text.split(/\n|&&/).map((command) => [line, command.replace(/[#>].*/, '').trim()] as const),
  )

  test.each(commands)('line %i: %s', async (_, command) => {
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
    else if (tool === 'npx' && name === 'identity-gateway')
      expect((await runCli(['--help'])).stdout).toMatch(new RegExp(`^ {2}${rest[0]} `, 'm'))
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
    const named = [...readme.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '')
    expect(named.length).toBeGreaterThan(3)
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
})

test.each(of('').map(({ line, text }) => [line, text] as const))(
  'the files of line %i are there',
  (_, text) => {
    for (const line of text.split('\n')) {
      const [path = ''] = line.split(' ')
      expect(existsSync(join(root, path)), path).toBe(true)
    }
  },
)
