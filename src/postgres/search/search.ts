import type { UserSearch } from '../../domain/user.ts'
import { indexedWords, lowered, wordsIn } from '../../layout/words.ts'
import { Prisma } from '../client.ts'
import { type Db, mostRowsOf } from '../db.ts'
import { PLANNED_BY_VALUES } from '../statements.ts'
import type { TableInQuery, Tables } from '../tables.ts'
import { areWordsIndexed, OF_WORDS } from './indexed.ts'

type Sql = Prisma.Sql

/** What stands for something else in a pattern. */
const SPECIAL = /[\\^$.|?*+()[\]{}]/g

/**
 * That one of the fields of a user begins with the text, or a word in it does; with an `@`, that an address goes on so
 * there. Fields the database lacks do not.
 */
export function matches(tables: Tables, user: TableInQuery, search: UserSearch): Sql {
  const { prefix } = search
  // Looking ahead takes time, and what begins with a letter or a digit that all collations know needs none.
  const ahead = /^[a-z0-9]/i.test(prefix) ? '' : '(?=[[:alnum:]])'
  const word = `[^[:alnum:]]${ahead}${prefix.replaceAll(SPECIAL, '\\$&')}`
  const conditions = [
    ...beginnings(tables, user, search).map(({ begins }) => begins),
    ...wordFields(tables, search).map((field) => {
      const text = withText(lowered, user.column(field))
      return prefix.startsWith('@')
        ? Prisma.sql`strpos(${text}, lower(${prefix})) > 0`
        : // Most rows do not even hold it, which is found out in a tenth of the time that the pattern takes.
          Prisma.sql`CASE WHEN strpos(${text}, lower(${prefix})) > 0 THEN ${text} ~ lower(${word}) ELSE FALSE END`
    }),
  ]
  return conditions.length === 0
    ? Prisma.sql`FALSE`
    : Prisma.sql`(${Prisma.join(conditions, ' OR ')})`
}

/**
 * The ids of those whom a search may find, by indexes: they are few, or it is known soon that they are not. `null`: more
 * than may be looked at, or there is no index on the words.
 */
export async function findIds(db: Db, search: UserSearch): Promise<readonly string[] | null> {
  const { read, tables } = db
  const most = mostRowsOf(db)
  const table = tables.as('User', 'u')
  const fields = wordFields(tables, search)
  const begun = beginnings(tables, table, search).map(
    ({
      text,
      begins,
    }) => Prisma.sql`(SELECT ${table.select(['id'])} FROM ${table.from} WHERE ${begins}
      ORDER BY ${text} USING ~<~ LIMIT ${most + 1})`,
  )
  if (begun.length === 0) return []
  // Every address goes on with an @ and no word.
  const isOfAll = search.prefix.startsWith('@') && !/[\p{L}\p{N}]/u.test(search.prefix)
  if (fields.length > 0 && (isOfAll || !(await areWordsIndexed(db)))) return null
  const words = fields.map(
    (field) => Prisma.sql`(SELECT ${table.select(['id'])} FROM ${table.from}
      WHERE (SELECT count(*) FROM begun) <= ${most}::integer
        AND ${withText(indexedWords, table.column(field))} @@ (SELECT asked.query FROM asked)
      LIMIT ${most + 1})`,
  )
  const rows = await read<{ readonly 'u.id': string }>(Prisma.sql`${Prisma.raw(PLANNED_BY_VALUES)}
    WITH asked (query) AS (
      SELECT CASE WHEN cardinality(words) > 0
        THEN ('''' || array_to_string(words, ''' & ''') || ''':*')::tsquery END
      FROM (SELECT ${withText(wordsIn, Prisma.sql`${search.prefix}::text`)}) AS given (words)),
    begun AS MATERIALIZED (
      SELECT found.* FROM (${Prisma.join(begun, ' UNION ')}) AS found LIMIT ${most + 1})
    SELECT found.* FROM (
      ${Prisma.join([Prisma.sql`SELECT * FROM begun`, ...words], ' UNION ')}) AS found LIMIT ${most + 1}`)
  return rows.length > most ? null : rows.map((row) => row['u.id'])
}

/** How fields begin, each with the text that there is an index on. */
function beginnings(tables: Tables, user: TableInQuery, search: UserSearch) {
  const pattern = `${search.prefix.replaceAll(/[\\%_]/g, '\\$&')}%`
  return tables.present('User', search.in).map((field) => {
    const text = Prisma.sql`lower(${user.column(field)})`
    return { text, begins: Prisma.sql`${text} LIKE lower(${pattern})` }
  })
}

function wordFields(tables: Tables, search: UserSearch) {
  return tables.present(
    'User',
    search.in.filter((field) => OF_WORDS.includes(field)),
  )
}

/** SQL around a text that has values in it. */
function withText(made: (text: string) => string, text: Sql): Sql {
  const [before = '', after = ''] = made(HERE).split(HERE)
  return Prisma.sql`${Prisma.raw(before)}${text}${Prisma.raw(after)}`
}

const HERE = '\0'
