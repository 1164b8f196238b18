import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { betterAuthOptions } from '../../src/demo/better-auth-options.ts'
import { readAuthModule } from '../../src/introspection/auth-module.ts'
import { canonicalise } from '../../src/introspection/canonicalise.ts'
import { pullSchema } from '../../src/introspection/engine.ts'
import { world } from '../support/world.ts'

/*
 * Where Better Auth keeps sessions in a secondary storage too: a configuration is accepted exactly when the gateway, which
 * asks the table, says of every session what Better Auth says.
 */

const { identity, gatewayWith, ada, sql } = await world({ own: true })
// It changes tokens as they are stored, and the secondary storage has those of before.
await sql('drop trigger planted on sessions')
const pool = new pg.Pool({ connectionString: identity.ownerUrl, max: 2 })
const folder = await mkdtemp(join(tmpdir(), 'secondary-storage-'))
const raw = await pullSchema(identity.ownerUrl, 'public')
afterAll(async () => {
  await pool.end()
  await rm(folder, { recursive: true })
})

const sessionsOn = { AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: identity.betterAuth.secret }
const settings = {
  origin: 'http://127.0.0.1:3999',
  pool,
  secret: identity.betterAuth.secret,
  tokenLifetime: '15m',
  algorithm: 'EdDSA',
} as const

type Sessions = Pick<
  NonNullable<BetterAuthOptions['session']>,
  'storeSessionInDatabase' | 'preserveSessionInDatabase'
>
const [store, keep] = [{ storeSessionInDatabase: true }, { preserveSessionInDatabase: true }]

test.each<[accepted: boolean, secondary: boolean, Sessions]>([
  [true, false, {}],
  [true, false, keep],
  [true, true, store],
  [true, true, { ...store, preserveSessionInDatabase: false }],
  [false, true, { ...store, ...keep }],
  [false, true, {}],
  [false, true, keep],
])('accepted %s: secondary storage %s, %j', async (accepted, secondary, session) => {
  const kept = new Map<string, string>()
  const secondaryStorage: BetterAuthOptions['secondaryStorage'] = {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
    // Of limits and verifications, of which there are none here.
    getAndDelete: async () => null,
    increment: async () => 1,
  }
  const options = betterAuthOptions(settings)
  const auth = betterAuth({
    ...options,
    ...(secondary && { secondaryStorage }),
    session: { ...options.session, ...session },
  })
  const trusting = gatewayWith(sessionsOn)
  const differences: unknown[] = []
  const ends = {
    'while it lasts': () => {},
    'after signing out': (headers: Headers) => auth.api.signOut({ headers }),
    'after being revoked': (headers: Headers) => auth.api.revokeSessions({ headers }),
    'after the secondary storage lost it': () => kept.clear(),
  }
  const { internalAdapter } = await auth.$context
  for (const [when, end] of Object.entries(ends)) {
    const { token } = await internalAdapter.createSession(ada.id)
    const signature = createHmac('sha256', settings.secret).update(token).digest('base64')
    const cookie = `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`
    const asked = new Headers({ cookie, origin: settings.origin })
    await end(asked)
    const theirs = (await auth.api.getSession({ headers: asked }))?.user.id ?? null
    const { data } = await trusting.graphql('{ viewer { id } }', { headers: { cookie } })
    const ours = data.viewer?.id ?? null
    if (ours !== theirs) differences.push({ when, theirs, ours })
  }
  expect(differences.length === 0, JSON.stringify(differences)).toBe(accepted)

  const [file, module] = [join(folder, 'schema.prisma'), join(folder, `${crypto.randomUUID()}.mts`)]
  const source = fileURLToPath(new URL('../../src/demo/better-auth-options.ts', import.meta.url))
  await writeFile(
    module,
    `import { betterAuth } from ${JSON.stringify(import.meta.resolve('better-auth'))}
import { betterAuthOptions } from ${JSON.stringify(source)}
import pg from ${JSON.stringify(import.meta.resolve('pg'))}
const options = betterAuthOptions(${JSON.stringify({ ...settings, pool: null })})
export const auth = betterAuth({
  ...options,
  database: new pg.Pool({ connectionString: 'postgresql://nobody@127.0.0.1:1/nothing' }),
  ${secondary ? 'secondaryStorage: { get() {}, set() {}, delete() {} },' : ''}
  session: { ...options.session, ...${JSON.stringify(session)} },
})`,
  )
  const { schema } = await canonicalise(raw, await readAuthModule(module))
  await writeFile(file, schema)
  const start = () => gatewayWith({ ...sessionsOn, PRISMA_SCHEMA_FILE: file })
  if (accepted) start()
  else expect(start).toThrow(/^AUTH_SESSIONS: /)
  // Without sessions as credentials, every one of them is served.
  gatewayWith({ PRISMA_SCHEMA_FILE: file })
})
