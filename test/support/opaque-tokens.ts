import { createHash, randomBytes } from 'node:crypto'
import type { Identity, Person } from './identity.ts'

/** A row of the table of access tokens, of which few things are said at a time. */
export interface TokenRow {
  readonly user_id?: string | null
  readonly client_id?: string
  readonly session_id?: string | null
  readonly scopes?: readonly string[]
  readonly resources?: unknown
  readonly confirmation?: unknown
  readonly expires_at?: Date
  readonly revoked?: Date | null
}

/**
 * The table of access tokens of the oauth-provider plug-in, and opaque ones as it keeps them. Better Auth itself need not
 * have the plug-in for it; `test/long/opaque-tokens.test.ts` is about one that has.
 */
export async function createOpaqueTokens({ sql }: Pick<Identity, 'sql'>) {
  await sql(`create table oauth_access_tokens (id text primary key, token text not null unique, client_id text not null,
    session_id text references sessions on delete set null, user_id text references users on delete cascade,
    refresh_id text, scopes jsonb not null, resources jsonb, expires_at timestamptz not null, revoked timestamptz,
    confirmation jsonb)`)
  /** A token of this person's first session, for the only app and all scopes; `row` is laid over that. */
  return async ({ id }: Pick<Person, 'id'>, row: TokenRow = {}): Promise<string> => {
    const token = randomBytes(24).toString('hex').slice(0, 32)
    const [session] = await sql<{ id: string }>(
      'select id from sessions where user_id = $1 order by created_at limit 1',
      [id],
    )
    const values = {
      user_id: id,
      client_id: 'app',
      session_id: session?.id,
      scopes: ['openid', 'identity:read', 'identity:pii', 'permissions:check'],
      resources: null,
      confirmation: null,
      expires_at: new Date(Date.now() + 600_000),
      revoked: null,
      ...row,
    }
    const json = (value: unknown) => (value === null ? null : JSON.stringify(value))
    await sql(
      `insert into oauth_access_tokens
         (id, token, user_id, client_id, session_id, scopes, resources, confirmation, expires_at, revoked)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        token.slice(0, 8),
        createHash('sha256').update(token).digest('base64url'),
        values.user_id,
        values.client_id,
        values.session_id,
        json(values.scopes),
        json(values.resources),
        json(values.confirmation),
        values.expires_at,
        values.revoked,
      ],
    )
    return token
  }
}
