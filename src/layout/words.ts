/*
 * The words of names and addresses, by which people are searched: runs of letters and digits, in lower case. An index
 * holds them, and statements have to say them in the same way for PostgreSQL to use it.
 */

/** Of a longer text, more is not looked at: no word may be too long for an index. In characters. */
export const SEARCHED_LENGTH = 256

/** A text in lower case, in the collation of the database: PostgreSQL has no patterns for those that ignore case. */
export function lowered(text: string): string {
  return `lower(left(${text}, ${SEARCHED_LENGTH})) COLLATE "default"`
}

/** The words of a text, as an array. */
export function wordsIn(text: string): string {
  return `array_remove(regexp_split_to_array(${lowered(text)}, '[^[:alnum:]]+'), '')`
}

/** What an index has of a column. */
export function indexedWords(column: string): string {
  return `array_to_tsvector(${wordsIn(column)})`
}

/** Whether a key of an index, as the catalog writes it, is the words of the column. */
export function hasWordsOf(column: string, definition: string): boolean {
  return plain(definition) === plain(indexedWords(column))
}

/** Without what PostgreSQL adds. */
function plain(sql: string): string {
  return sql.replaceAll(/[()\s"]|::text|::character varying/g, '')
}
