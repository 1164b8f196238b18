import DataLoader from 'dataloader'
import type { Context } from './context.ts'

/** What one request has made, by what makes it. */
export type MadeOnce = Map<object, unknown>

export type Loader<Key, Value> = DataLoader<Key, Value, unknown>
type Options<Key, Value> = DataLoader.Options<Key, Value, unknown>

/**
 * A loader is declared once, beside what it loads, and each request has one of its own, which reads a key at most once.
 * `load` answers all keys that are asked for at one moment, in their order.
 */
export function defineLoader<Key, Value>(
  load: (keys: readonly Key[], context: Context) => Promise<readonly Value[]>,
  options?: Options<Key, Value>,
): (context: Context) => Loader<Key, Value> {
  return oncePerRequest((context) => new DataLoader((keys) => load(keys, context), options))
}

/** Loaders whose answers depend on more than the key: one for each variant, and these are told apart by their JSON. */
export function defineVariants<Key, Value, Variant>(
  load: (keys: readonly Key[], context: Context, variant: Variant) => Promise<readonly Value[]>,
  options?: Options<Key, Value>,
): (context: Context, variant: Variant) => Loader<Key, Value> {
  const loadersOf = oncePerRequest(() => new Map<string, Loader<Key, Value>>())
  return (context, variant) => {
    const loaders = loadersOf(context)
    const name = JSON.stringify(variant)
    const known = loaders.get(name)
    if (known) return known
    const made: Loader<Key, Value> = new DataLoader((keys) => load(keys, context, variant), options)
    loaders.set(name, made)
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

function oncePerRequest<Made>(make: (context: Context) => Made): (context: Context) => Made {
  return (context) => {
    const known = context.madeOnce.get(make)
    // The map holds things of many types; what lies under this function was made by it.
    if (known !== undefined) return known as Made
    const made = make(context)
    context.madeOnce.set(make, made)
    return made
  }
}
