import type { Table } from './layout.ts'

/** Names as SQL writes them: `"public"."members"`. */
export function quote(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** Text as SQL writes it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The real name of a column that the table must have, quoted. */
export function quotedColumn({ name, columns }: Table, field: string): string {
  const found = columns[field]
  if (!found) throw new Error(`The table ${name} has no column for ${field}.`)
  return quote(found.name)
}
