import type { Listed, Page, PageRequest } from '../domain/page.ts'
import type { Context } from './context.ts'
import { defineVariants, type Loader } from './loaders.ts'

type PageOf<Entity> = Page<Listed<Entity>>

interface ListDeclared<Entity, Variant> {
  /** The field, for example `Organization.members`. */
  readonly field: string
  /** The same page of several parents. A parent that is left out of the answer has an empty list. */
  readonly load: (
    parentIds: readonly string[],
    page: PageRequest,
    context: Context,
    variant: Variant,
  ) => Promise<ReadonlyMap<string, PageOf<Entity>>>
  readonly count: (
    parentIds: readonly string[],
    context: Context,
    variant: Variant,
  ) => Promise<ReadonlyMap<string, number>>
}

/**
 * A list of the graph. Its variant is whatever else decides what the list holds and in which order: parents with the same
 * variant share a statement.
 */
export interface List<Entity, Variant> {
  readonly field: string
  readonly pages: (
    context: Context,
    variant: { readonly variant: Variant; readonly page: PageRequest },
  ) => Loader<string, PageOf<Entity> | undefined>
  readonly counts: (context: Context, variant: Variant) => Loader<string, number | undefined>
}

/** A list is declared once, beside the field that shows it. */
export function defineList<Entity, Variant = null>({
  field,
  load,
  count,
}: ListDeclared<Entity, Variant>): List<Entity, Variant> {
  return {
    field,
    pages: defineVariants(async (ids, context, { variant, page }) => {
      const pages = await load(ids, page, context, variant)
      return ids.map((id) => pages.get(id))
    }),
    counts: defineVariants(async (ids, context, variant) => {
      const counts = await count(ids, context, variant)
      return ids.map((id) => counts.get(id))
    }),
  }
}

interface ListOfAllDeclared<Entity, Variant> {
  readonly field: string
  readonly load: (page: PageRequest, context: Context, variant: Variant) => Promise<PageOf<Entity>>
  readonly count: (context: Context, variant: Variant) => Promise<number>
}

/** A list that has no parent. */
export function defineListOfAll<Entity, Variant>({
  field,
  load,
  count,
}: ListOfAllDeclared<Entity, Variant>): List<Entity, Variant> {
  const only = <Value>(ids: readonly string[], value: Value) =>
    new Map(ids.map((id) => [id, value]))
  return defineList({
    field,
    load: async (ids, page, context, variant) => only(ids, await load(page, context, variant)),
    count: async (ids, context, variant) => only(ids, await count(context, variant)),
  })
}
