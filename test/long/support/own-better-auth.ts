import { betterAuth } from 'better-auth'
import { bearer } from 'better-auth/plugins'
import type pg from 'pg'
import { allPlugins } from '../../introspection/migrate.ts'

export const ISSUER = 'https://auth.example.com'

/** A Better Auth of somebody's own over tables with its own names, to whom Ada has signed up. */
export async function signUpAda(pool: pg.Pool) {
  const auth = betterAuth({
    baseURL: ISSUER,
    secret: 'a secret that is long enough for Better Auth',
    database: pool,
    emailAndPassword: { enabled: true },
    plugins: [...allPlugins, bearer()],
  })
  const { headers } = await auth.api.signUpEmail({
    body: { name: 'Ada', email: 'ada@example.com', password: 'a long password' },
    returnHeaders: true,
  })
  return { auth, asAda: new Headers({ authorization: `Bearer ${headers.get('set-auth-token')}` }) }
}
