import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { allPlugins, migrate } from '../introspection/migrate.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { documentedBlock, documentedBlocks, pageText } from '../support/documentation.ts'
import { signUpAda } from './support/own-better-auth.ts'

/*
 * Somebody who arrives today: README.md word by word in an empty folder, with what the repository holds and no more. What
 * stands for theirs is filled in: the database, the name of the role, the port.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = pageText('README.md')
const run = promisify(execFile)

let folder: string
let database: Database
let pool: pg.Pool
let role: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'newcomer-'))
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard']
  const { stdout } = await run('git', listed, { cwd: root, maxBuffer: 1e8 })
  for (const path of stdout.split('\n').filter(Boolean))
    await cp(join(root, path), join(folder, path), { recursive: true }).catch(() => {
      // Deleted, and not yet committed.
    })
  database = await createDatabase('empty')
  await migrate(database.url, { plugins: allPlugins })
  pool = new pg.Pool({ connectionString: database.url })
  role = `newcomer_${database.name}`
}, 600_000)

afterAll(async () => {
  await pool?.end()
  await database?.drop()
  await asSuperuser(`drop role if exists ${role}`)
  await rm(folder, { recursive: true })
})

/** Runs a line as a shell would, with no other environment than a shell's own. */
const shell = (line: string) => run('sh', ['-c', line], { cwd: folder, env: environment() })

function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, npm_config_prefer_offline: 'true' }
}

const codes = [
  ...documentedBlocks(['README.md']).flatMap(({ text }) => text.split('\n')),
  ...[...readme.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(
    ([, code = '']) => code,
  ),
]

/** The one line of a block of README.md, or code in its text, that has this. */
function command(marker: string): string {
  const found = codes.filter((code) => code.includes(marker))
  if (found.length !== 1 || !found[0]) throw new Error(`README.md has ${found.length}: ${marker}`)
  return found[0].replace(/ +#.*/, '')
}

const filledIn = (line: string) =>
  line
    .replace('postgresql://owner:…@db/identity', database.url)
    .replace('postgresql://gateway:…@db/identity', urlOf(role))
    .replace('--role gateway', `--role ${role}`)

function urlOf(user: string): string {
  return Object.assign(new URL(database.url), { username: user, password: 'secret' }).href
}

/** Starts what goes on until it is told to end, and answers its first line that says this. */
async function started(line: string, says: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn('sh', ['-c', line], {
    cwd: folder,
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const ended = once(child, 'exit')
  const told = (async () => {
    for await (const text of createInterface({ input: child.stdout }))
      if (text.includes(says)) return text
    throw new Error(`It ended without "${says}".`)
  })()
  return {
    line: await told,
    async stop() {
      if (child.pid) process.kill(-child.pid, 'SIGTERM')
      await ended
    },
  }
}

async function ask(address: string, token: string, query: string) {
  const answer = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  })
  return (await answer.json()) as { data: { viewer: { name: string } }; errors?: unknown }
}

const firstQuery = documentedBlock('organizations(first: 50)').text

test('tries it: the two commands, and the first query', async () => {
  const [install, demo] = command('npm run demo').split(' && ')
  await shell(install ?? '')
  expect(demo).toBe('npm run demo')
  const PORT = String(await findFreePort())
  const running = await started(command('demo -- --json'), '"graphql"', { PORT })
  try {
    const { graphql, people } = JSON.parse(running.line)
    const { data, errors } = await ask(graphql, people[0].token, firstQuery)
    expect(errors).toBeUndefined()
    expect(data.viewer.name).toMatch(/\w/)
  } finally {
    await running.stop()
  }
}, 600_000)

test('uses it with a Better Auth of their own, in the five steps', async () => {
  // It has been there for a while, and has signed tokens.
  const { auth, asAda } = await signUpAda(pool)
  const { token } = await auth.api.getToken({ headers: asAda })

  await shell(filledIn(command('npm run introspect')))
  await shell(filledIn(command('doctor -- --sql')))
  await database.sql(await readFile(join(folder, 'role.sql'), 'utf8'))
  await database.sql(`alter role ${role} password 'secret'`)
  const start = filledIn(command('npm start'))
  expect(codes).toContain('npm run -s doctor')
  const variables = start.replace(/npm start$/, '')
  const doctor = await shell(`${variables}${'npm run -s doctor'}`)
  expect(doctor.stdout).not.toContain('ERROR')

  const PORT = String(await findFreePort())
  const running = await started(start, 'listening', { PORT, HOST: '127.0.0.1' })
  try {
    const { data, errors } = await ask(`http://127.0.0.1:${PORT}/graphql`, token, firstQuery)
    expect(errors).toBeUndefined()
    expect(data.viewer.name).toBe('Ada')
  } finally {
    await running.stop()
  }
}, 600_000)

test('has it in a larger graph: the subgraph is printed', async () => {
  const { text } = documentedBlock('schema --federation > identity.graphql')
  await shell(text)
  expect(await readFile(join(folder, 'identity.graphql'), 'utf8')).toContain('type User @key')
}, 600_000)
