import type { DMMF } from '@prisma/generator-helper'
import { type Model, models } from '../repositories/layout.ts'
import { contract } from './contract.ts'

/** A table or column of the database, as the engine describes it. */
export type Table = DMMF.Model
export type Column = DMMF.Field

export interface Match {
  readonly model: Model
  readonly table: Table
  readonly recognisedBy: 'name' | 'columns'
}

export interface Matching {
  readonly matches: readonly Match[]
  /** Whole sentences, each with what to do about it. */
  readonly problems: readonly string[]
}

/**
 * Finds the table of each model: by its name without regard to case, underscores and plural, or else by columns and
 * foreign keys that only one table has. Where that does not decide, grants do: the engine sees what its role may SELECT.
 */
export function matchTables(tables: readonly Table[]): Matching {
  const matches: Match[] = []
  const problems: string[] = []
  for (const model of models) {
    const named = tables.filter((table) => isNamed(table, model))
    const complete = named.filter((table) => missingColumns(table, model).length === 0)
    const recognisedBy = complete.length > 0 ? 'name' : 'columns'
    const candidates =
      complete.length > 0
        ? complete
        : tables.filter((table) => isUnclaimed(table) && isRecognised(table, model, matches))
    const [table, ...others] = candidates
    if (others.length > 0)
      problems.push(
        `${model}: the tables ${list(candidates)} all fit. Introspect as a role that may SELECT from only one of them.`,
      )
    else if (table) matches.push({ model, table, recognisedBy })
    else if (named.length > 0) problems.push(...named.map((it) => incomplete(it, model)))
    else if (contract[model].required)
      problems.push(
        `${model}: no table fits. Check the database and DATABASE_SCHEMA, that Better Auth has migrated it, and that this role may SELECT from it.`,
      )
  }
  return { matches, problems }
}

/** A column by its canonical name, without regard to case and underscores. More than one: a database migrated twice. */
export function findColumns(table: Table, field: string): readonly Column[] {
  return table.fields.filter(
    (column) => column.kind !== 'object' && squash(realName(column)) === squash(field),
  )
}

export function realName({ name, dbName }: Table | Column): string {
  return dbName ?? name
}

function isNamed(table: Table, model: Model): boolean {
  return singular(realName(table)) === singular(model)
}

function isUnclaimed(table: Table): boolean {
  return !models.some((model) => isNamed(table, model))
}

function missingColumns(table: Table, model: Model): readonly string[] {
  return Object.keys(contract[model].columns).filter(
    (field) => findColumns(table, field).length === 0,
  )
}

function isRecognised(table: Table, model: Model, found: readonly Match[]): boolean {
  const { relations = {}, signature = [] } = contract[model]
  return (
    missingColumns(table, model).length === 0 &&
    signature.every((field) => findColumns(table, field).length > 0) &&
    Object.values(relations).every(({ column, to }) => {
      const target = found.find((match) => match.model === to)
      return target && pointsTo(table, column, target.table)
    })
  )
}

function pointsTo(table: Table, field: string, target: Table): boolean {
  const names = findColumns(table, field).map((column) => column.name)
  return table.fields.some(
    (it) => it.type === target.name && it.relationFromFields?.some((from) => names.includes(from)),
  )
}

function incomplete(table: Table, model: Model): string {
  const missing = missingColumns(table, model).join(', ')
  return `${model}: the table "${realName(table)}" has no column for ${missing}. Let this role SELECT them; or, if the table is not Better Auth's, introspect as a role that may not read it.`
}

function list(tables: readonly Table[]): string {
  return tables.map((table) => `"${realName(table)}"`).join(', ')
}

function squash(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase()
}

/** Also `jwkss`, the name that Drizzle's `usePlural` makes of `jwks`. */
function singular(name: string): string {
  return squash(name).replace(/s+$/, '')
}
