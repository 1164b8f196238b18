import { setImmediate } from 'node:timers/promises'
import { GatewayError } from '../domain/errors.ts'
import type { HeldRoles } from '../domain/explanation.ts'
import type { InvalidationTarget } from '../domain/invalidation.ts'
import { parseRoles } from '../domain/member.ts'
import {
  type Consistency,
  type DynamicRole,
  type Grant,
  type GrantingRole,
  type OrganizationRole,
  type OrganizationsAsked,
  type Permission,
  type PermissionService,
  pairKey,
  type RoleRepository,
  type Subject,
} from '../domain/permission.ts'
import { type Epochs, type PermissionCache, sameEpochs } from './cache.ts'
import type { RoleDefinitions } from './definitions.ts'
import { mergeDynamicRoles } from './dynamic-roles.ts'
import { describeRoles, resolvePermissions } from './resolve.ts'
import type { Trust } from './trust.ts'

export interface CachingPermissionServiceOptions {
  readonly roles: RoleRepository
  readonly cache: PermissionCache
  /** A cached grant that it does not believe is a miss: a change of it may have gone untold. */
  readonly trust: Pick<Trust, 'believes'>
  readonly definitions: RoleDefinitions
  /** Whether roles kept in the database count. */
  readonly dynamic: boolean
  /** Told how many CACHED questions the cache answered, and how many it did not. */
  readonly onReads?: (hits: number, misses: number) => void
  /** Told of each question that is answered by what another call was reading already. */
  readonly onJoin?: () => void
  /** What may have been begun for another, as far as whoever asks now waits for it. */
  readonly waitFor?: <Result>(work: Promise<Result>) => Promise<Result>
}

/** A read of the database under way, or read and on its way into the cache. */
interface Flight {
  /** Counts flights in the order they began. */
  readonly number: number
  readonly epochs: Epochs | undefined
  readonly grant: Promise<Grant>
}

interface Miss {
  readonly key: string
  readonly subject: Subject
  readonly epochs: Epochs | undefined
}

/**
 * Callers batch: each call is one cache round trip and at most one SQL statement. Across calls, misses of the same
 * subject share one flight. A caller waits for the cache's answer, which is bounded, and for the database, but not
 * for the writing of the result.
 */
export class CachingPermissionService implements PermissionService {
  readonly #options: CachingPermissionServiceOptions
  readonly #flights = new Map<string, Flight>()
  #begun = 0
  readonly #defined: ReadonlySet<Permission>

  constructor(options: CachingPermissionServiceOptions) {
    this.#options = options
    this.#defined = new Set(
      describeRoles(options.definitions, []).flatMap(({ permissions }) => permissions),
    )
  }

  isDefined(permission: Permission): boolean | null {
    if (this.#defined.has(permission)) return true
    return this.#options.dynamic ? null : false
  }

  async resolve(subjects: readonly Subject[], consistency: Consistency): Promise<readonly Grant[]> {
    if (subjects.length === 0) return []
    const { cache, trust, onReads, onJoin, waitFor = (work) => work } = this.#options
    const begun = this.#begun
    const unique = new Map(subjects.map((subject) => [pairKey(subject), subject]))
    const known = await cache.read([...unique.values()], consistency)
    const grants = new Map<string, Grant | Promise<Grant>>()
    const misses: Miss[] = []
    let hits = 0
    for (const [index, [key, subject]] of [...unique].entries()) {
      const grant = known[index]?.grant
      const epochs = known[index]?.epochs
      const flight = this.#flights.get(key)
      // Any question may join a flight that began after it; a CACHED one also an earlier one that no event overtook.
      const canJoin =
        flight &&
        (flight.number > begun || (consistency === 'CACHED' && sameEpochs(flight.epochs, epochs)))
      if (grant && trust.believes(grant)) {
        grants.set(key, { ...grant, source: 'CACHE' })
        hits += 1
      } else if (canJoin) {
        grants.set(key, flight.grant)
        onJoin?.()
      } else misses.push({ key, subject, epochs })
    }
    if (consistency === 'CACHED') onReads?.(hits, unique.size - hits)
    for (const [key, flight] of this.#begin(misses)) grants.set(key, flight.grant)
    const asked = subjects.map((subject) => take(grants, pairKey(subject)))
    return waitFor(Promise.all(asked))
  }

  async describeRoles(
    organizationIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly OrganizationRole[]>> {
    const rows = await this.#findDynamicRoles({ organizationIds })
    return new Map(
      organizationIds.map((id) => [
        id,
        describeRoles(this.#options.definitions, rows.get(id) ?? []),
      ]),
    )
  }

  async findHeldRoles(subjects: readonly Subject[]): Promise<readonly HeldRoles[]> {
    const { roles, definitions, dynamic, waitFor = (work) => work } = this.#options
    if (subjects.length === 0) return []
    const { readAt, ...read } = await waitFor(roles.findRoles(subjects, { dynamic }))
    const ids = new Set(subjects.map(({ organizationId }) => organizationId))
    const defined = new Map(
      [...ids].map((id) => [id, describeRoles(definitions, read.dynamicRoles.get(id) ?? [])]),
    )
    return read.subjects.map(({ organizationId, active, memberships }) => ({
      active,
      memberships: memberships.map(parseRoles),
      defined: defined.get(organizationId) ?? [],
      readAt,
    }))
  }

  async findGrantingRoles(
    permission: Permission,
    organizations: OrganizationsAsked,
  ): Promise<readonly GrantingRole[]> {
    const rows = await this.#findDynamicRoles(organizations)
    const granting = (organizationId: string | null, dynamicRoles: readonly DynamicRole[]) =>
      describeRoles(this.#options.definitions, dynamicRoles)
        .filter((role) => role.permissions.includes(permission))
        .map((role) => ({ organizationId, role: role.name }))
    return [granting(null, []), ...[...rows].map(([id, own]) => granting(id, own))].flat()
  }

  async #findDynamicRoles(
    organizations: OrganizationsAsked,
  ): Promise<ReadonlyMap<string, readonly DynamicRole[]>> {
    const { roles, dynamic } = this.#options
    return dynamic ? roles.findDynamicRoles(organizations) : new Map()
  }

  /**
   * Questions asked after this see what was committed before it; grants being resolved now serve only those who
   * asked already.
   * @throws Error when the cache may still hold earlier grants: try again, or accept its TTL as the bound.
   */
  async invalidate(target: InvalidationTarget): Promise<void> {
    this.#flights.clear()
    await this.#options.cache.invalidate(target)
  }

  #begin(misses: readonly Miss[]): ReadonlyMap<string, Flight> {
    if (misses.length === 0) return new Map()
    this.#begun += 1
    const { roles, definitions, dynamic } = this.#options
    const subjects = misses.map(({ subject }) => subject)
    const reading = roles.findRoles(subjects, { dynamic }).then((read) => {
      const merged = new Map(
        [...read.dynamicRoles].map(([id, rows]) => [id, mergeDynamicRoles(definitions, rows)]),
      )
      return new Map(
        read.subjects.map((subject): [string, Grant] => [
          pairKey(subject),
          {
            ...resolvePermissions(subject, merged.get(subject.organizationId) ?? definitions),
            resolvedAt: read.readAt,
            source: 'DATABASE',
          },
        ]),
      )
    })
    const flights = new Map(
      misses.map(({ key, epochs }) => [
        key,
        { number: this.#begun, epochs, grant: reading.then((grants) => take(grants, key)) },
      ]),
    )
    for (const [key, flight] of flights) this.#flights.set(key, flight)
    void this.#land(misses, reading, flights)
    return flights
  }

  /**
   * Writes what was read, then ends the flights. In this order a question that missed the cache before the write
   * still finds the flight, so no cold key is read twice.
   */
  async #land(
    misses: readonly Miss[],
    reading: Promise<ReadonlyMap<string, Grant>>,
    flights: ReadonlyMap<string, Flight>,
  ): Promise<void> {
    try {
      const grants = await reading
      const entries = misses.flatMap(({ key, subject, epochs }) =>
        epochs ? [{ subject, epochs, grant: take(grants, key) }] : [],
      )
      if (entries.length === 0) return
      await this.#options.cache.write(entries)
      // A miss read just before the write may not have reached its question yet.
      await setImmediate()
    } catch {
      // Those who asked are told; nothing is kept.
    } finally {
      for (const [key, flight] of flights)
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
  }
}

function take<Value>(values: ReadonlyMap<string, Value>, key: string): Value {
  const value = values.get(key)
  if (value === undefined) throw new GatewayError('INTERNAL', 'A permission question was left out.')
  return value
}
