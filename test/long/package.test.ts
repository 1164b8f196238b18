import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { programs, textOf } from '../documentation/programs.ts'
import { documentedBlock } from '../support/documentation.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { installInto, packInto } from './support/packed.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let identity: Identity
let directory: string
let project: string
let tarball: string
let contents: readonly string[]

beforeAll(async () => {
  identity = await startIdentity()
  directory = await mkdtemp(join(tmpdir(), 'identity-package-'))
  project = await mkdtemp(join(directory, 'project-'))
  const packed = await packInto(directory)
  tarball = packed.tarball
  contents = packed.contents
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const { devDependencies } = JSON.parse(
    await promisify(execFile)('npm', ['pkg', 'get'], { cwd: root }).then(({ stdout }) => stdout),
  )
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`)
  await installInto(project, tarball, ...tools)
})

afterAll(async () => {
  await identity?.stop()
  if (directory) await rm(directory, { recursive: true })
})

function run(
  command: string,
  words: readonly string[],
  cwd = project,
  env: Readonly<Record<string, string>> = {},
) {
  return promisify(execFile)(command, words, {
    cwd,
    env: { ...process.env, ...env },
    maxBuffer: 1e8,
  })
}

test('it holds what runs, and nothing else', () => {
  const elsewhere = contents.filter((path) => !/^dist\/[\w/-]+\.(js|d\.ts)$/.test(path))
  expect(elsewhere.sort()).toEqual(
    ['LICENSE', 'README.md', 'package.json', 'prisma/schema.prisma', 'schema.graphql'].sort(),
  )
  expect(contents.filter((path) => path.startsWith('dist/demo/'))).toEqual([])
  expect(contents).toContain('dist/cli/main.js')
})

test('npm would publish it as CONTRIBUTING.md says: for everybody, under a scope, with its repository', async () => {
  await run('tar', ['xzf', tarball, '-C', directory])
  const folder = join(directory, 'package')
  const [naming = '', publishing = ''] = documentedBlock('npm pkg set name=').text.split('\n')
  await run('sh', ['-c', naming], folder)
  const [command = ''] = publishing.split(' #')
  // Without an account, and without the scripts: they are the checks and the tests.
  const line = `${command.trim()} --dry-run --ignore-scripts --offline --json --loglevel=notice`
  const { stdout, stderr } = await run('sh', ['-c', line], folder)
  const [published] = Object.values<{ name: string; entryCount: number }>(JSON.parse(stdout))
  expect(published).toMatchObject({
    name: '@your-org/identity-gateway',
    entryCount: contents.length,
  })
  expect(stderr).toContain('with tag latest and public access')
  // npm names here what it would correct by itself.
  expect(stderr).not.toMatch(/auto-corrected|errors corrected/)
  const fields = ['publishConfig', 'repository', 'license', 'engines', 'bin', 'exports']
  const { stdout: told } = await run('npm', ['pkg', 'get', ...fields], folder)
  expect(JSON.parse(told)).toMatchObject({
    publishConfig: { access: 'public', provenance: true },
    repository: { type: 'git', url: 'git+https://github.com/your-org/identity-gateway.git' },
    license: 'MIT',
    engines: { node: '>=20.19' },
    bin: { 'identity-gateway': 'dist/cli/main.js' },
    exports: { '.': {}, './identity': {}, './client': {}, './better-auth': {}, './writes': {} },
  })
})

describe('in an empty project', () => {
  const names = [
    "from 'identity-gateway/identity'",
    "from 'identity-gateway/client'",
    '// app/graphql/route.ts',
  ]

  test('the examples of the documentation compile, with every declaration they reach, and answer', async () => {
    const ada = await identity.signUp('Ada')
    const { id } = await identity.createOrganization(ada, 'Acme')
    const roles = join(project, 'access-control.json')
    await writeFile(roles, JSON.stringify(accessControl))
    const chosen = programs.filter(({ marker }) => names.includes(marker))
    expect(chosen).toHaveLength(names.length)
    for (const [index, program] of chosen.entries()) {
      const { text } = documentedBlock(program.marker)
      await writeFile(join(project, `block-${index}.ts`), program.imports ? text : '')
      await writeFile(
        join(project, `main-${index}.ts`),
        textOf(program, text, `./block-${index}.ts`),
      )
    }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig))
    await run('npx', ['tsc']).catch(({ stdout }) => {
      throw new Error(stdout)
    })
    for (const [index, program] of chosen.entries()) {
      const { stdout } = await run(process.execPath, [`out/main-${index}.js`], project, {
        DATABASE_URL: identity.readOnlyUrl,
        AUTH_ISSUER: identity.betterAuth.issuer,
        ACCESS_CONTROL_FILE: roles,
        LOG_LEVEL: 'silent',
        AUTHORIZATION: `Bearer ${await ada.jwt()}`,
        ORGANIZATION_ID: id,
        REDIS_URL: '',
      })
      expect(JSON.parse(stdout)).toEqual(program.prints)
    }
  })

  test('its command prints the graph', async () => {
    const { stdout } = await run('npx', ['identity-gateway', 'schema'])
    expect(stdout).toContain('type Query {')
  })

  test.each(['demo', 'introspect'])('%s says in one sentence what is missing', async (command) => {
    const env = { DATABASE_URL: identity.ownerUrl }
    await expect(run('npx', ['identity-gateway', command], project, env)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `This installation lacks what ${command} needs: run \`npm ci && npm run ${command}\` in a clone of the repository.\n`,
    })
  })
})

const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: 'out',
  },
  include: ['*.ts'],
}
