import pg from 'pg'
import { createReadOnlyRole } from '../../src/demo/role.ts'
import { identityOver, type Organization, type Person } from './identity.ts'
import { layout } from './layout.ts'
import { plantSecrets } from './planted.ts'

/** Who is in every world, each with an account and a session. */
export interface Cast<Somebody = Person> {
  /** The owner of Acme. */
  readonly ada: Somebody
  /** A member and an approver of Acme. */
  readonly bob: Somebody
  /** A plain member of Acme. */
  readonly carol: Somebody
  /** The owner of Evil, to which nobody else belongs. */
  readonly eve: Somebody
  /** A platform admin, in no organization. */
  readonly root: Somebody
  /** In no organization, as are Ivy and Ines. */
  readonly rita: Somebody
  readonly ivy: Somebody
  readonly ines: Somebody
  readonly acme: Organization
  readonly evil: Organization
}

export type Account = Omit<Person, 'headers' | 'jwt'>

/** What a copy of the database is used with in which the cast has signed up. */
export interface SignedUpCast extends Cast<Account> {
  /** Names that database. */
  readonly database: string
  /** As a role to which every copy grants what the gateway reads. */
  readonly readOnlyUrl: string
  /** Better Auth's, with which the sessions are signed. */
  readonly secret: string
}

/** Once for a whole run, because to hash a password is slow by intention. `url` is of a database with tables alone. */
export async function signUpCast(url: string): Promise<SignedUpCast> {
  const pool = new pg.Pool({ connectionString: url })
  pool.on('error', () => {})
  const sql = async (text: string, values: readonly unknown[] = []) =>
    (await pool.query(text, [...values])).rows
  const name = new URL(url).pathname.slice(1)
  const database = { name, url, sql, drop: () => pool.end() }
  await plantSecrets(sql)
  const readOnlyUrl = await createReadOnlyRole(url, layout)
  const identity = await identityOver(database, readOnlyUrl)
  const ada = await identity.signUp('Ada')
  const bob = await identity.signUp('Bob')
  const carol = await identity.signUp('Carol')
  const eve = await identity.signUp('Eve')
  const root = await identity.signUp('Root')
  const rita = await identity.signUp('Rita')
  const ivy = await identity.signUp('Ivy')
  const ines = await identity.signUp('Ines')
  const acme = await identity.createOrganization(ada, 'Acme', { plan: 'pro' })
  const evil = await identity.createOrganization(eve, 'Evil')
  await identity.addMember(acme, bob, 'member', 'approver')
  await identity.addMember(acme, carol, 'member')
  await sql("update users set role = 'admin' where id = $1", [root.id])
  // Better Auth makes its signing key when it is first asked for a token.
  await ada.jwt()
  await identity.stop()
  return {
    ada: toAccount(ada),
    bob: toAccount(bob),
    carol: toAccount(carol),
    eve: toAccount(eve),
    root: toAccount(root),
    rita: toAccount(rita),
    ivy: toAccount(ivy),
    ines: toAccount(ines),
    acme,
    evil,
    database: name,
    readOnlyUrl,
    secret: identity.betterAuth.secret,
  }
}

/** What can be told to another process. */
function toAccount({ id, name, email, password, session }: Person): Account {
  return { id, name, email, password, session }
}
