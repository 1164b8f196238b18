import type DataLoader from 'dataloader'
import { PacedLoader } from '../access/paced-loader.ts'
import type { Context } from './context.ts'

/** The loaders of one request: by what they load with, then by the JSON of their variant. */
export type Loaders = Map<unknown, Map<string | undefined, unknown>>

/**
 * A loader is declared once, beside what it loads, and each request has its own, which reads a key at most once; one for
 * each variant, where the answer depends on more than the key. `load` answers all keys that are asked for at one moment,
 * in their order.
 */
export function defineLoader<Key, Value, Variant = void>(
  load: (keys: readonly Key[], context: Context, variant: Variant) => Promise<readonly Value[]>,
  options?: DataLoader.Options<Key, Value, unknown>,
) {
  return (context: Context, variant: Variant) => {
    const name = JSON.stringify(variant)
    let variants = context.loaders.get(load)
    // The maps hold loaders of many types; what lies under this function loads with it.
    const known = variants?.get(name) as DataLoader<Key, Value, unknown> | undefined
    if (known) return known
    const made = new PacedLoader((keys) => load(keys, context, variant), context.pace, options)
    variants ??= new Map()
    context.loaders.set(load, variants.set(name, made))
    return made
  }
}

/** What was found, in the order of the keys; `null` where there is nothing. */
export function inOrderOf<Key, Value>(
  keys: readonly Key[],
  found: readonly Value[],
  keyOf: (value: Value) => Key,
): (Value | null)[] {
  const values = new Map(found.map((value) => [keyOf(value), value]))
  return keys.map((key) => values.get(key) ?? null)
}

/** Loads by id; `null`: there is none. */
export function byId<Entity extends { readonly id: string }, Variant = void>(
  find: (ids: readonly string[], context: Context, variant: Variant) => Promise<readonly Entity[]>,
) {
  return defineLoader<string, Entity | null, Variant>(async (ids, context, variant) =>
    inOrderOf(ids, await find(ids, context, variant), ({ id }) => id),
  )
}

/** Loads what belongs to each owner; `null`: that cannot be told. */
export function ownedBy<Entity>(
  find: (ownerIds: readonly string[], context: Context) => Promise<readonly Entity[] | null>,
  ownerOf: (entity: Entity) => string | null,
) {
  return defineLoader(async (ownerIds: readonly string[], context) => {
    const found = await find(ownerIds, context)
    return ownerIds.map((id) => found?.filter((entity) => ownerOf(entity) === id) ?? null)
  })
}
