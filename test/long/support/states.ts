import { expect } from 'vitest'
import type { Identity } from '../../support/identity.ts'

/** What both say of a credential in one state. */
export interface Verdicts {
  /** The state, to be read where they are not as they should be. */
  readonly state: object
  /** Whether it is accepted. */
  readonly gateway: boolean
  readonly betterAuth: boolean
  /** Of the listed differences, those that there are in this state, with what the gateway has to say because of them. */
  readonly differences: Readonly<Record<string, boolean>>
}

/**
 * Compares what the gateway accepts with what Better Auth does. Where they say different things, there has to be a listed
 * difference; each of these has to be the only one somewhere, so that none is listed that is not there.
 * @param reasons Why, by the names of the differences.
 */
export function createComparison(what: string, reasons: Readonly<Record<string, string>>) {
  const listed = Object.keys(reasons)
  const seen: Record<string, number> = { 'both accept': 0, 'both refuse': 0 }
  for (const difference of listed) seen[difference] = 0
  return {
    compare({ state, gateway, betterAuth, differences }: Verdicts): void {
      const names = Object.keys(differences)
      expect(listed).toEqual(expect.arrayContaining(names))
      const said = names.length === 0 ? betterAuth : !Object.values(differences).includes(false)
      expect([state, names, gateway]).toEqual([state, names, said])
      const [name = ''] = names
      const outcome = gateway ? 'both accept' : 'both refuse'
      if (gateway === betterAuth) seen[outcome] = (seen[outcome] ?? 0) + 1
      else if (names.length === 1) seen[name] = (seen[name] ?? 0) + 1
    },
    /** How many states there were of each outcome. */
    end(): void {
      const total = Object.entries(seen).map(([outcome, count]) => `${outcome}: ${count}`)
      process.stdout.write(`States of ${what}: ${total.join(', ')}.\n`)
      expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([])
      expect(Math.min(seen['both accept'] ?? 0, seen['both refuse'] ?? 0)).toBeGreaterThan(30)
    },
  }
}

/** What a row of `users` says of bans, and whether it is one that has not run out. */
export const bans = [
  { banned: null, expires: null, lasts: false },
  { banned: false, expires: null, lasts: false },
  { banned: false, expires: '1 hour', lasts: false },
  { banned: true, expires: '-1 hour', lasts: false },
  { banned: true, expires: '1 hour', lasts: true },
  { banned: true, expires: null, lasts: true },
] as const

type Sql = Identity['sql']

/** @param expires From now on, as an interval. */
export async function ban(
  sql: Sql,
  userId: string,
  { banned, expires }: Pick<(typeof bans)[number], 'banned' | 'expires'>,
): Promise<void> {
  await sql('update users set banned = $2, ban_expires = now() + $3::interval where id = $1', [
    userId,
    banned,
    expires,
  ])
}

/** Takes rows out of a table, and puts them back as they were. */
export async function createAttic(sql: Sql, table: string) {
  const attic = `${table}_attic`
  await sql(`create table "${attic}" (like "${table}")`)
  const move = (from: string, to: string, key: string, value: string) =>
    sql(
      `with moved as (delete from "${from}" where "${key}" = $1 returning *) insert into "${to}" select * from moved`,
      [value],
    )
  return {
    async keep(isThere: boolean, key: string, value: string): Promise<void> {
      await (isThere ? move(attic, table, key, value) : move(table, attic, key, value))
    },
  }
}
