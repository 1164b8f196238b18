import DataLoader from 'dataloader'
import type { Context } from './context.ts'

/** The loaders of one request by their names. */
export type Loaders = Map<string, DataLoader<unknown, unknown, unknown>>

/**
 * A batching loader that lives as long as the request. The name stands for everything but the key that the answer
 * depends on; calls with the same name share a batch.
 */
export function loaderOf<Key, Value>(
  { loaders }: Context,
  name: string,
  load: (keys: readonly Key[]) => Promise<(key: Key) => Value>,
  options: { readonly cacheKey?: (key: Key) => string } = {},
): DataLoader<Key, Value, unknown> {
  const known = loaders.get(name)
  if (known) return known as DataLoader<Key, Value, unknown>
  const loader = new DataLoader<Key, Value, unknown>(
    async (keys) => keys.map(await load(keys)),
    options.cacheKey ? { cacheKeyFn: options.cacheKey } : {},
  )
  loaders.set(name, loader as DataLoader<unknown, unknown, unknown>)
  return loader
}
