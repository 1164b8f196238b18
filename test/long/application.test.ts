import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'
import { createDatabase, type Database } from '../support/database.ts'

/*
 * `introspect --auth` and `access-control` with modules of an application as people write them, which Node.js alone would
 * not load: each application is a folder of its own, whose database cannot be reached.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
let database: Database
let folder: string

beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'application-')))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await write({ 'package.json': '{ "private": true }' })
})
afterEach(() => rm(folder, { recursive: true }))

type Files = Readonly<Record<string, string>>

async function write(files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

function run(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCli(words, { DATABASE_URL: database.url, ...env }, root, folder)
}

function introspect(files: Files, path: string, env: Readonly<Record<string, string>> = {}) {
  return write(files).then(() => run(['introspect', '--auth', path, '--output', '-'], env))
}

const POOL = `new pg.Pool({ connectionString: 'postgresql://nobody:secret@127.0.0.1:1/nothing' })`
const db: string = `import pg from 'pg'\nexport const db = ${POOL}\n`

/** A module that makes Better Auth of what `db` is, and says that the users are called as `users` says. */
function auth(imported: string, exported = 'export const auth =', users = "'users'"): string {
  return `import { betterAuth } from 'better-auth'
${imported}
${exported} betterAuth({
  database: db,
  baseURL: 'https://auth.example.com',
  secret: 'a secret of at least thirty-two characters',
  telemetry: { enabled: false },
  user: { modelName: ${users} },
  session: { modelName: 'sessions' },
  account: { modelName: 'accounts' },
})
`
}

function tsconfig(config: object): string {
  return `{ // as editors write it\n${JSON.stringify(config).slice(1, -1)}, }`
}

const paths = { '@/*': ['./src/*'] }

interface Application {
  readonly files: Files
  readonly module: string
  readonly env?: Readonly<Record<string, string>>
}

const loaded: Record<string, Application> = {
  'TypeScript, with the paths of its tsconfig.json': {
    module: 'auth.ts',
    files: {
      'tsconfig.json': tsconfig({
        compilerOptions: { module: 'esnext', moduleResolution: 'bundler', baseUrl: '.', paths },
      }),
      'auth.ts': auth("import { db } from '@/db'"),
      'src/db.ts': `${db}export type Db = typeof db\nexport enum Kind { One }\nexport const one = <number>1\n`,
    },
  },
  'paths that a tsconfig.json extends, with a star in the middle and a second place to look': {
    module: 'server/auth.ts',
    files: {
      'config/base.json': tsconfig({
        compilerOptions: { paths: { '#db/*/it': ['./nowhere/*', '../src/*/index'] } },
      }),
      'tsconfig.json': tsconfig({ extends: './config/base.json' }),
      'server/auth.ts': auth("import { db } from '#db/store/it'"),
      'src/store/index.ts': db,
    },
  },
  'the baseUrl without paths, without extensions, and .js that is .ts': {
    module: './src/auth',
    files: {
      'tsconfig.json': tsconfig({ compilerOptions: { baseUrl: './src' } }),
      'src/auth/index.ts': auth("import { db } from '../db'"),
      'src/db.ts': "export { db } from 'lib/pool.js'",
      'src/lib/pool.ts': db,
    },
  },
  'paths of a project that the tsconfig.json refers to': {
    module: 'src/auth.ts',
    files: {
      'tsconfig.json': tsconfig({ files: [], references: [{ path: './tsconfig.app.json' }] }),
      'tsconfig.app.json': tsconfig({ compilerOptions: { paths }, include: ['src'] }),
      'src/auth.ts': auth("const { db } = await import('@/db')"),
      'src/db.ts': "export * from '@/pool'",
      'src/pool.ts': db,
    },
  },
  'paths of a jsconfig.json, in JavaScript modules': {
    module: 'src/auth.js',
    files: {
      'package.json': '{ "type": "module" }',
      'jsconfig.json': tsconfig({ compilerOptions: { paths } }),
      'src/auth.js': auth("import { db } from '@/db'"),
      'src/db.js': db,
    },
  },
  'another package of the same repository, with paths of its own': {
    module: 'apps/web/auth.ts',
    files: {
      'apps/web/tsconfig.json': tsconfig({ compilerOptions: { paths: { '~/*': ['./*'] } } }),
      'apps/web/auth.ts': auth("import { db } from '~/db'"),
      'apps/web/db.ts': "export { db } from '../../packages/store/index'",
      'packages/store/tsconfig.json': tsconfig({
        compilerOptions: { paths: { '~/*': ['./in/*'] } },
      }),
      'packages/store/index.ts': "export * from '~/db'",
      'packages/store/in/db.ts': db,
    },
  },
  'a default export in .mts': {
    module: 'auth.mts',
    files: {
      'auth.mts': auth(`import pg from 'pg'\nconst db: pg.Pool = ${POOL}`, 'export default'),
    },
  },
  CommonJS: {
    module: 'auth.cjs',
    files: {
      'auth.cjs': auth(`const db = new (require('pg').Pool)()`, 'module.exports.auth =').replace(
        /^import .*$/m,
        "const { betterAuth } = require('better-auth')",
      ),
    },
  },
  'a promise, with await at the top': {
    module: 'auth.ts',
    files: {
      'auth.ts': auth(
        "const { db } = await import('./db')",
        'export const auth = (async () =>',
      ).replace(/\)\n$/, '))()\n'),
      'db.ts': db,
    },
  },
  'mails in JSX': {
    module: 'auth.tsx',
    files: {
      'auth.tsx': auth(
        "import { mail } from './mail'\nimport { db } from './db'\nmail({ name: 'Ada' })",
      ),
      'mail.jsx': 'export const mail = ({ name }) => <p>Dear {name}</p>',
      'db.ts': db,
    },
  },
  'modules that a framework makes': {
    module: 'auth.ts',
    env: { DB_USERS: 'users' },
    files: {
      'auth.ts': auth(
        `import 'server-only'
        import 'client-only'
        import { DB_USERS } from '$env/static/private'
        import { env } from '$env/dynamic/private'
        import { building } from '$app/environment'
        import { getRequestEvent } from '$app/server'
        import { headers } from 'next/headers'
        import { useRuntimeConfig } from '#imports'
        import { getSecret, DB_USERS as again } from 'astro:env/server'
        import { env as worker, WorkerEntrypoint } from 'cloudflare:workers'
        import logo from './logo.svg?url'
        import { db } from '$lib/db'
        export class Entry extends WorkerEntrypoint {}
        const here = await headers()
        here.get('cookie')
        const { mail: { sender } } = useRuntimeConfig()
        worker.DB.prepare(\`\${sender}\${logo}\`)
        const said = [env.DB_USERS, again, getSecret('DB_USERS'), worker.DB_USERS, DB_USERS]
        if (building || said.some((it) => it !== 'users')) throw new Error(String(said))`,
        'export const auth =',
        'DB_USERS',
      ),
      'tsconfig.json': tsconfig({ extends: './.svelte-kit/tsconfig.json' }),
      'src/lib/db.ts': db,
    },
  },
  'a worker, whose bindings are not there': {
    module: 'auth.ts',
    files: {
      'auth.ts': `import { env } from 'cloudflare:workers'
        import { betterAuth } from 'better-auth'
        import pg from 'pg'
        const { connectionString } = env.HYPERDRIVE
        export const auth = betterAuth({
          database: new pg.Pool({ connectionString }),
          baseURL: env.URL,
          secret: env.SECRET,
          user: { modelName: 'users' },
          session: { modelName: 'sessions' },
          account: { modelName: 'accounts' },
        })`,
    },
  },
  'variables of its .env, below those that are set': {
    module: 'src/auth.ts',
    env: { SET: 'users' },
    files: {
      '.env': 'DB_USERS=users\nSET=others\nPGOPTIONS=-c search_path=nowhere\n',
      'src/auth.ts': auth(
        `import { db } from './db'
        if (process.env.DB_USERS !== 'users') throw new Error('DB_USERS is missing')`,
        'export const auth =',
        'process.env.SET!',
      ),
      'src/db.ts': db,
    },
  },
  'what it logs, leaves open and fails to reach': {
    module: 'auth.ts',
    files: {
      'auth.ts': auth(
        `import { db } from './db'
        console.log('not for standard output')
        setInterval(() => {}, 1000)
        void db.query('select 1')`,
      ),
      'db.ts': db,
    },
  },
}

describe('Better Auth is asked for names in', () => {
  test.each(Object.entries(loaded))('%s', async (_name, { files, module, env }) => {
    const { code, stdout, stderr } = await introspect(files, module, env)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^\/\/ Better Auth's tables/)
    expect(stderr).toContain('"recognisedBy": "auth"')
    expect(stderr).not.toMatch(/^ +at /m)
  })
})

const WAYS =
  'give --auth a small file that exports auth without it, or tell the names with --overrides alone.\n'

const refused: Record<string, Application & { readonly says: string }> = {
  'a module that is not there': {
    module: 'src/auth.ts',
    files: {},
    says: 'Cannot find module src/auth.ts: there is no such file.\n',
  },
  'an import of a file that is not there': {
    module: 'src/auth.ts',
    files: { 'src/auth.ts': auth("import { db } from './db'") },
    says: `src/auth.ts cannot be loaded: src/auth.ts imports "./db", and there is no such file; ${WAYS}`,
  },
  'an import of a package that is not installed': {
    module: 'src/auth.ts',
    files: {
      'src/auth.ts': auth("import { db } from './db'"),
      'src/db.ts': "export { db } from '@acme/db'",
    },
    says: `src/auth.ts cannot be loaded: src/db.ts imports "@acme/db", which is not installed there and is no path of a tsconfig.json; ${WAYS}`,
  },
  'an alias of a framework, whose configuration is not there': {
    module: 'auth.ts',
    files: {
      'auth.ts': auth("import { db } from '$db'"),
      'tsconfig.json': tsconfig({ extends: './.svelte-kit/tsconfig.json' }),
    },
    says: `auth.ts cannot be loaded: auth.ts imports "$db", which is no package and no path of a tsconfig.json, and may exist inside the build of a framework alone; the tsconfig of FOLDER: File './.svelte-kit/tsconfig.json' not found; ${WAYS}`,
  },
  'a variable of the environment that is missing': {
    module: 'auth.ts',
    files: { 'auth.ts': "throw new Error('Invalid environment:\\n  STRIPE_KEY is missing.')" },
    says: `auth.ts cannot be loaded: it throws Invalid environment: STRIPE_KEY is missing; ${WAYS}`,
  },
  'what is no error and is thrown': {
    module: 'auth.ts',
    files: { 'auth.ts': "throw 'nothing today'" },
    says: `auth.ts cannot be loaded: it throws nothing today; ${WAYS}`,
  },
  'a mistake in its syntax': {
    module: 'auth.ts',
    files: { 'auth.ts': 'export const auth = {\n  a: 1\n  b: 2 }' },
    says: `auth.ts cannot be loaded: it throws ParseError: Unexpected token, expected "," FOLDER/auth.ts:3:2; ${WAYS}`,
  },
  'a module that ends the process': {
    module: 'auth.ts',
    files: { 'auth.ts': 'process.exit(0)' },
    says: `auth.ts ended the process while it was loaded; ${WAYS}`,
  },
  'a module that waits for what never comes': {
    module: 'auth.ts',
    files: { 'auth.ts': 'await new Promise(() => {})' },
    says: `auth.ts ended the process while it was loaded; ${WAYS}`,
  },
  'a module that exports nothing of Better Auth': {
    module: 'auth.ts',
    files: { 'auth.ts': 'export const options = {}' },
    says: 'auth.ts exports no Better Auth, neither as auth nor by default.\n',
  },
  'a function that makes Better Auth': {
    module: 'auth.ts',
    files: {
      'auth.ts': auth("import { db } from './db'", 'export const auth = (env: object) =>'),
      'db.ts': db,
    },
    says: 'auth.ts exports a function, not Better Auth: give --auth a small file that exports as auth what the function returns.\n',
  },
  'Better Auth that does not start': {
    module: 'auth.ts',
    files: {
      'auth.ts': auth(
        "import { db } from './db'",
        "export const auth = { $context: Promise.reject(new Error('no adapter')) }; export const other =",
      ),
      'db.ts': db,
    },
    says: `Better Auth of auth.ts does not start: it throws no adapter; ${WAYS}`,
  },
}

describe('is refused in one sentence:', () => {
  test.each(Object.entries(refused))('%s', async (_name, { files, module, env, says }) => {
    const { code, stdout, stderr } = await introspect(files, module, env)
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: says.replaceAll('FOLDER', folder),
    })
  })
})

describe('access-control loads the roles', () => {
  const roles = `import { createAccessControl } from 'better-auth/plugins/access'
import { db } from '@/db'
const ac = createAccessControl({ leave: ['approve'] } as const)
console.log('not for standard output')
void db.query('select 1')
export const roles = { clerk: ac.newRole({ leave: ['approve'] }) }
`
  const files = {
    'tsconfig.json': tsconfig({ compilerOptions: { paths } }),
    'src/db.ts': db,
    'src/roles.ts': roles,
  }

  test('of a module in TypeScript', async () => {
    await write(files)
    const { code, stdout, stderr } = await run(['access-control', 'src/roles.ts'])
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ roles: { clerk: { leave: ['approve'] } } })
  })

  test('or says what it imports and cannot find', async () => {
    await write({ ...files, 'src/db.ts': "export { db } from '$stuff/db'" })
    expect(await run(['access-control', 'src/roles.ts'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'src/roles.ts cannot be loaded: src/db.ts imports "$stuff/db", which is no package and no path of a tsconfig.json, and may exist inside the build of a framework alone; give the command a small file that exports the roles without it.\n',
    })
  })
})
