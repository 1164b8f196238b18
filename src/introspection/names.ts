import type { DMMF } from '@prisma/generator-helper'

/** A table or column of the database, as the engine describes it. */
export type Table = DMMF.Model
export type Column = DMMF.Field

export interface Named {
  readonly name: string
  /** The real name, where it is another. */
  readonly dbName?: string | null
}

export function realName({ name, dbName }: Named): string {
  return dbName ?? name
}

/** Without case and underscores. */
export function squash(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase()
}

/** And without plural: also `jwkss`, the name that Drizzle's `usePlural` makes of `jwks`. */
export function singular(name: string): string {
  return squash(name).replace(/s+$/, '')
}

export function isColumn({ kind }: Column): boolean {
  return kind !== 'object'
}

/** Whether a column is named like a secret; none such is ever shown, whoever asks for it. */
export function isSecret(name: string): boolean {
  return SECRET.test(squash(name))
}

const SECRET = /password|token|secret|privatekey|apikey|backupcode|membershipkey|membercount/
