import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { introspect } from '../../src/introspection/introspect.ts'
import { runCli } from '../support/cli.ts'
import { createDatabase, type Database } from '../support/database.ts'
import { createProject, type Project } from './project.ts'

let database: Database
let project: Project

beforeEach(async () => {
  database = await createDatabase()
  project = await createProject()
})
afterEach(() => Promise.all([database.drop(), project.remove()]))

describe('overrides', () => {
  test('name what is not recognised, and win over what is', async () => {
    await database.sql('alter table users rename name to full_name')
    await database.sql('create table "user" (like users including all)')
    await database.sql('alter table sessions rename token to secret_token')
    const { found } = await run({
      overrides: {
        User: { table: 'users', columns: { name: 'full_name', banned: null } },
        Session: { columns: { token: 'secret_token' } },
        Team: { table: null },
        TeamMember: { table: null },
      },
    })
    expect(found).toContainEqual({ model: 'User', table: 'users', recognisedBy: 'overrides' })
    const layout = project.layout()
    expect(layout.User?.columns.name).toEqual({
      name: 'full_name',
      type: 'text',
      required: true,
    })
    expect(layout.User?.columns).not.toHaveProperty('banned')
    expect(layout.Session?.tokenColumn).toBe('secret_token')
    expect(layout.Session?.columns).not.toHaveProperty('token')
    expect(layout.Team).toBeNull()
  })

  test('that the database does not bear out are refused, each in a sentence', async () => {
    await expect(
      run({
        overrides: {
          User: { columns: { name: 'full_name', banReason: 'reason' } },
          Member: { table: 'nobody' },
          Jwks: { columns: { alg: 'algorithm' } },
        },
      }),
    ).rejects.toThrow(
      /- User: the table "users" has no column for name \(the overrides call it "full_name"\)\.[\s\S]*- Member: the overrides call it "nobody", but there is no such table[\s\S]*- Jwks\.alg: the overrides call it "algorithm", but the table "jwks" has no such column/,
    )
  })

  test.each([
    [
      'an unknown model',
      { Usr: {} },
      /overrides\.json:\n- Usr: there is no such model\. Models are User,/,
    ],
    [
      'an unknown field',
      { User: { columns: { nam: 'x' } } },
      /- User\.nam: there is no such field\./,
    ],
    [
      'a secret',
      { Account: { columns: { password: 'x' } } },
      /- Account\.password: there is no such/,
    ],
    ['an unknown key', { User: { tabel: 'x' } }, /- User: Unrecognized key: "tabel"/],
    ['something else', [], /overrides\.json:\n- : Invalid input: expected record/],
  ])('with %s are refused', async (_, overrides, complaint) => {
    await expect(run({ overrides })).rejects.toThrow(complaint)
  })

  test('that are no JSON are refused', async () => {
    await expect(run({ overrides: '{' })).rejects.toThrow(/overrides\.json is not JSON: /)
  })

  test('cannot give a field the name of another', async () => {
    await database.sql('alter table organizations rename slug to handle')
    await database.sql('alter table organizations rename name to slug')
    await expect(
      run({ overrides: { Organization: { columns: { name: 'slug', slug: 'handle' } } } }),
    ).rejects.toThrow(/Organization\.name: .* bears the name of another field, slug/)
  })
})

describe("the application's own Better Auth", () => {
  test('is asked for names, also when its adapter makes plurals', async () => {
    await database.sql('alter table jwks rename to jwkss')
    await database.sql('alter table users rename to persons')
    const { found, absentModels, absentColumns, leftOutColumns } = await run({
      auth: `
        import { kyselyAdapter } from '@better-auth/kysely-adapter'
        import { Kysely, PostgresDialect, CamelCasePlugin } from 'kysely'
        const db = new Kysely({ dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin()] })
        export default betterAuth({
          ...options,
          database: kyselyAdapter(db, { type: 'postgres', usePlural: true }),
          user: { modelName: 'person' },
          plugins: [organization(), jwt()],
        })`,
    })
    expect(found).toContainEqual({
      model: 'User',
      table: 'persons',
      recognisedBy: 'auth',
    })
    expect(found).toContainEqual({ model: 'Jwks', table: 'jwkss', recognisedBy: 'auth' })
    // What is in the database without a plug-in that uses it is not Better Auth's.
    expect(absentModels).toEqual([
      'Team',
      'TeamMember',
      'OrganizationRole',
      'OauthClient',
      'OauthAccessToken',
      'OauthConsent',
      'Apikey',
      'Passkey',
      'SsoProvider',
      'ScimUser',
      'Subscription',
    ])
    expect(absentColumns).toContain('User.username')
    expect(leftOutColumns).toContain('User.username')
  })

  test('says where a row of a session is not what it goes by', async () => {
    const { refusedCredentials } = await run({
      auth: `export const auth = betterAuth({
        ...options,
        database: pool,
        secondaryStorage: { get() {}, set() {}, delete() {} },
        session: { modelName: 'sessions', storeSessionInDatabase: true, preserveSessionInDatabase: true },
        user: { modelName: 'users' },
        account: { modelName: 'accounts' },
      })`,
    })
    expect(refusedCredentials).toEqual([
      expect.stringMatching(/^AUTH_SESSIONS: .*preserveSessionInDatabase/),
    ])
    expect(project.layout().Session?.authoritative).toBe(false)
  })

  test('is told where the database differs', async () => {
    await expect(
      run({
        auth: `export const auth = betterAuth({
          ...options,
          database: pool,
          user: { modelName: 'users', fields: { email: 'mail' } },
          session: { modelName: 'visits' },
          account: { modelName: 'accounts' },
          plugins: [username({ schema: { user: { fields: { displayUsername: 'shown_name' } } } })],
        })`,
      }),
    ).rejects.toThrow(
      /- User: the table "users" has no column for email \(Better Auth calls it "mail"\)\.[\s\S]*- Session: Better Auth calls it "visits", but there is no such table/,
    )
  })

  test('without sessions in the database has no sessions', async () => {
    const { absentModels } = await run({
      auth: `export const auth = betterAuth({
        ...options, database: pool, user: { modelName: 'users' }, account: { modelName: 'accounts' },
        secondaryStorage: { get: () => null, set: () => {}, delete: () => {} },
      })`,
    })
    expect(absentModels).toContain('Session')
    expect(absentModels).toContain('Member')
  })

  test.each([
    ['that is not there', undefined, /Cannot find module|Failed to load/],
    ['without Better Auth', 'export const auth = {}', /auth\.mjs exports no Better Auth/],
    ['that throws', "throw new Error('no database today')", /no database today/],
  ])('in a module %s is refused', async (_, auth, complaint) => {
    await expect(run({ auth, authModule: 'auth.mjs' })).rejects.toThrow(complaint)
  })
})

describe('on the command line', () => {
  test('the module of --auth is asked, and what it leaves open keeps nobody waiting', async () => {
    const path = await writeAuth(`export const auth = betterAuth({
      ...options, database: pool, user: { modelName: 'users' }, session: { modelName: 'sessions' },
      account: { modelName: 'accounts' },
    })
    await pool.query('select')`)
    const { code, stdout, stderr } = await introspectIn(project, ['--auth', path])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout).found).toHaveLength(3)
    expect(project.layout().Member).toBeNull()
  })

  test('what is wrong is one sentence, and the end is 1', async () => {
    const path = await writeAuth('export const auth = {}')
    expect(await introspectIn(project, ['--auth', path])).toEqual({
      code: 1,
      stdout: '',
      stderr: `${path} exports no Better Auth, neither as auth nor by default.\n`,
    })
  })

  test.each(['auth', 'overrides', 'fields'])('--%s belongs to introspect alone', async (option) => {
    const { code, stderr } = await runCli(['doctor', `--${option}`, 'x'])
    expect(code).toBe(2)
    expect(stderr).toContain('--overrides a JSON file')
  })
})

/** Where `prisma/schema.prisma` is another than that of the checkout. */
function introspectIn({ schemaPath }: Project, words: readonly string[]) {
  const env = { DATABASE_URL: database.url }
  return runCli(['introspect', ...words], env, undefined, dirname(dirname(schemaPath)))
}

async function writeAuth(text: string): Promise<string> {
  const path = join(dirname(project.schemaPath), 'auth.mjs')
  await writeFile(path, `${imports()}\n${text}`)
  return path
}

interface Told {
  readonly overrides?: unknown
  readonly auth?: string | undefined
  readonly authModule?: string
}

async function run({ overrides, auth, authModule }: Told) {
  const folder = dirname(project.schemaPath)
  await mkdir(folder, { recursive: true })
  const overridesPath = join(folder, 'overrides.json')
  const authPath = join(folder, 'auth.mjs')
  if (overrides !== undefined)
    await writeFile(
      overridesPath,
      typeof overrides === 'string' ? overrides : JSON.stringify(overrides),
    )
  if (auth !== undefined) await writeAuth(auth)
  return introspect({
    databaseUrl: database.url,
    databaseSchema: 'public',
    schemaPath: project.schemaPath,
    ...(overrides !== undefined && { overridesPath }),
    ...((auth !== undefined || authModule) && { authPath }),
  })
}

/** What a module of an application begins with. */
function imports(): string {
  return `import { betterAuth } from 'better-auth'
    import { jwt, organization, username } from 'better-auth/plugins'
    import pg from 'pg'
    const pool = new pg.Pool({ connectionString: ${JSON.stringify(database.url)} })
    pool.on('error', () => {})
    const options = {
      baseURL: 'http://127.0.0.1:3999',
      secret: 'a secret of at least thirty-two characters',
      telemetry: { enabled: false },
    }`
}
