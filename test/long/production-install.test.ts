import { existsSync } from 'node:fs'
import { lstat, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pluginModels } from '../../src/layout/plugin-tables.ts'
import { allPlugins, migrate } from '../introspection/migrate.ts'
import { runCli, type Serving, startServing } from '../support/cli.ts'
import { asSuperuser, createDatabase, type Database } from '../support/database.ts'
import { ISSUER, signUpAda } from './support/own-better-auth.ts'
import { createProductionFolder } from './support/production-folder.ts'

/*
 * What the image holds, made by the commands of the Dockerfile: no Prisma CLI, no introspection, and of Prisma's compilers
 * the one that is used. It serves a database with
 * Better Auth's own layout by the schema file that is mounted, and doctor looks at that database.
 */

let folder: string
let database: Database
let pool: pg.Pool
let environment: Readonly<Record<string, string>>
let role: string
let serving: Serving | undefined

beforeAll(async () => {
  folder = await createProductionFolder()
  database = await createDatabase('empty')
  await migrate(database.url, { plugins: allPlugins })
  pool = new pg.Pool({ connectionString: database.url })
  role = `production_${database.name}`
}, 600_000)

afterAll(async () => {
  await serving?.signal('SIGTERM')
  await pool.end()
  await database.drop()
  await asSuperuser(`drop role if exists ${role}`)
  await rm(folder, { recursive: true })
})

test('introspect prints the schema file, and doctor the SQL of its role', async () => {
  const introspected = await runCli(['introspect', '--output', '-'], { DATABASE_URL: database.url })
  expect(introspected.code).toBe(0)
  expect(introspected.stdout).toMatch(/^\/\/ Better Auth's tables[\s\S]*@@map\("teamMember"\)/)
  expect(JSON.parse(introspected.stderr)).toMatchObject({
    absentModels: pluginModels,
  })
  const PRISMA_SCHEMA_FILE = join(folder, 'mounted.prisma')
  await writeFile(PRISMA_SCHEMA_FILE, introspected.stdout)
  const { stdout } = await runCli(
    ['doctor', '--sql', '--role', role],
    { PRISMA_SCHEMA_FILE },
    folder,
  )
  await database.sql(stdout)
  await database.sql(`alter role ${role} password 'secret'`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'secret'
  environment = { DATABASE_URL: url.href, AUTH_ISSUER: ISSUER, PRISMA_SCHEMA_FILE }
})

test('what is of no use to whoever serves is gone', async () => {
  const files = await readdir(folder, { recursive: true })
  expect(files.filter((path) => /\.(map|d\.[mc]?ts)$/.test(path))).toEqual([])
  const compilers = files.filter((path) => path.includes('query_compiler_'))
  expect(compilers.every((path) => path.includes('_small_bg.postgresql.'))).toBe(true)
  const sizes = await Promise.all(files.map(async (path) => (await lstat(join(folder, path))).size))
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(70e6)
})

test('without the Prisma CLI and its engines the gateway answers', async () => {
  for (const name of [
    'prisma',
    '@prisma/engines',
    '@prisma/internals',
    'typescript',
    '.bin/prisma',
  ])
    expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false)
  const { auth, asAda } = await signUpAda(pool)
  await auth.api.createOrganization({ body: { name: 'Acme', slug: 'acme' }, headers: asAda })
  const { token } = await auth.api.getToken({ headers: asAda })

  serving = await startServing(environment, folder)
  expect((await fetch(`${serving.url}/ready`)).status).toBe(200)
  const answer = await fetch(`${serving.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: `{ viewer { name email sessions { totalCount } organizations { edges { roles node { slug
        viewerCan(permission: "member:create") members { totalCount nodes { user { name } } } } } } } }`,
    }),
  })
  expect(await answer.json()).toEqual({
    data: {
      viewer: {
        name: 'Ada',
        email: 'ada@example.com',
        sessions: { totalCount: 1 },
        organizations: {
          edges: [
            {
              roles: ['owner'],
              node: {
                slug: 'acme',
                viewerCan: true,
                members: { totalCount: 1, nodes: [{ user: { name: 'Ada' } }] },
              },
            },
          ],
        },
      },
    },
  })
})

test('doctor finds this database healthy by its schema file, and not by that of another', async () => {
  const healthy = await runCli(['doctor', '--json'], environment, folder)
  expect({ code: healthy.code, stderr: healthy.stderr }, healthy.stdout).toEqual({
    code: 0,
    stderr: '',
  })
  const { PRISMA_SCHEMA_FILE: _, ...packaged } = environment
  const other = await runCli(['doctor'], packaged, folder)
  expect(other.code).toBe(1)
  expect(other.stdout).toContain('ERROR   The table "users" is missing: run the command introspect')
})

test('what is not there says where it is', async () => {
  const { code, stderr } = await runCli(['introspect'], environment, folder)
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^This installation lacks what introspect needs: .* in a clone of the repository\.\n$/,
  )
})
