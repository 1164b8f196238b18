import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { afterAll } from 'vitest'
import { introspect } from '../../src/introspection/introspect.ts'
import { functionStatements, ownerFunctions } from '../../src/layout/owner-functions.ts'
import { parseLayout } from '../../src/layout/schema-file.ts'
import { publishKey } from '../auth/published-keys.ts'
import { grantsOf } from './grants.ts'
import type { Identity, Person } from './identity.ts'
import { planted } from './planted.ts'
import { createSigner } from './tokens.ts'

/** An app to which people have consented, with tokens as Better Auth's oauth-provider plug-in signs them. */
export interface App {
  readonly clientId: string
  readonly issuer: string
  readonly audience: string
  /** A token for ten minutes, from the person's own session; `claims` are laid over what it would carry. */
  token(
    person: Person,
    scope: string,
    claims?: JWTPayload,
    header?: Partial<JWTHeaderParameters>,
  ): Promise<string>
}

/**
 * The table of apps, with one of them, and what tells a gateway to accept its tokens. Better Auth itself need not have the
 * plug-in for it; `test/long/oauth.test.ts` is about one that has.
 */
export async function createApp(identity: Identity) {
  await identity.sql(
    `create table oauth_clients (id text primary key, client_id text not null unique, client_secret text, disabled boolean,
      name text, uri text, icon text)`,
  )
  await identity.sql(`insert into oauth_clients values ('c', 'app', '${planted('secret')}', false, 'App', 'https://app.example.com',
      'https://app.example.com/icon.png')`)
  const signer = await createSigner('EdDSA', 'oauth')
  await publishKey(identity, signer)
  const issuer = identity.betterAuth.url
  const audience = 'https://identity.example.com/graphql'
  const app: App = {
    clientId: 'app',
    issuer,
    audience,
    async token({ id }, scope, claims = {}, header = {}) {
      const [session] = await identity.sql<{ id: string }>(
        'select id from sessions where user_id = $1 order by created_at limit 1',
        [id],
      )
      const now = Math.floor(Date.now() / 1000)
      const usual = { iss: issuer, aud: audience, sub: id, sid: session?.id, iat: now }
      const client = { client_id: 'app', azp: 'app', scope, exp: now + 600, jti: 'one' }
      return signer.sign({ ...usual, ...client, ...claims }, { typ: 'at+jwt', ...header })
    },
  }
  return { app, environment: { ...(await readAnew(identity)), OAUTH_AUDIENCE: audience } }
}

/** What has a gateway read what tables there are now, and lets its role do so. */
export async function readAnew({ ownerUrl, readOnlyUrl, sql }: Identity) {
  const folder = await mkdtemp(join(tmpdir(), 'layout-'))
  afterAll(() => rm(folder, { recursive: true }))
  const schemaPath = join(folder, 'schema.prisma')
  await introspect({ databaseUrl: ownerUrl, databaseSchema: 'public', schemaPath })
  const grantee = { role: new URL(readOnlyUrl).username, schema: 'public' }
  const layout = parseLayout(await readFile(schemaPath, 'utf8'))
  const { sessions, apiKeys, opaqueTokens } = ownerFunctions(layout, grantee)
  const looksUp = [sessions, apiKeys, opaqueTokens].flatMap((made) =>
    functionStatements(made, grantee.role),
  )
  for (const statement of [...grantsOf(layout, grantee), ...looksUp]) await sql(statement)
  return { PRISMA_SCHEMA_FILE: schemaPath }
}
