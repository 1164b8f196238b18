import type { Pace } from '../access/paced-loader.ts'
import type { Viewer, ViewerSources } from '../access/viewer.ts'
import type { AuditTrail } from '../domain/audit.ts'
import type { Scope } from '../domain/caller.ts'
import type { Changes } from '../domain/changes.ts'
import { checkKeys } from '../domain/limits.ts'
import type { Permission, PermissionService } from '../domain/permission.ts'
import type { Repositories } from '../domain/repositories.ts'
import type { Loaders } from './loaders.ts'
import { Refusals } from './refusals.ts'

/** What the graph reads from. */
export interface Sources extends Repositories, Omit<ViewerSources, 'pace'> {
  readonly permissions: PermissionService
  /** `null`: they cannot be subscribed to. */
  readonly changes: Changes | null
}

/** Made anew for each request: the viewer and the loaders remember what was read, and never beyond it. */
export interface Context extends Sources {
  readonly viewer: Viewer
  readonly loaders: Loaders
  readonly pace: Pace
  readonly refusals: Refusals
  /** Permissions that were asked for and that no role defines. */
  readonly undefinedPermissions: Set<Permission>
  /** Absent: what is told is not audited. */
  readonly trail?: AuditTrail | undefined
}

export function createContext(
  sources: Sources,
  viewer: Viewer,
  { pace, trail }: Pick<Context, 'pace' | 'trail'>,
): Context {
  // In this order: with a property after the spread, this takes thirty times as long, half the time of a small request.
  return {
    viewer,
    pace,
    trail,
    loaders: new Map(),
    refusals: new Refusals(),
    undefinedPermissions: new Set(),
    ...sources,
  }
}

/**
 * What a door lets the caller in to by each of these keys, in their order.
 * @param name Of the argument that has the keys.
 */
export async function enterEach<Entity>(
  context: Context,
  scope: Scope,
  { keys, name }: { readonly keys: readonly string[]; readonly name: string },
  door: (context: Context, key: string) => Promise<Entity | null>,
): Promise<Promise<Entity | null>[]> {
  context.viewer.requireScope(scope)
  const checked = await inTurn(context, checkKeys(keys, name))
  return checked.map((key) => door(context, key))
}

/** The same entries, once it is their turn to be answered with. */
export async function inTurn<Entry>(
  { pace }: Pick<Context, 'pace'>,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const turn = pace.take(entries.length)
  if (turn) await turn
  return entries
}
