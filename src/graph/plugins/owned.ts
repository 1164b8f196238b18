import type { Context } from '../context.ts'
import { defineLoader } from '../loaders.ts'

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
