import { AsyncLocalStorage } from 'node:async_hooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  DynamicRole,
  RoleRepository,
  RolesRead,
  Subject,
} from '../../src/domain/permission.ts'
import type { CacheEntry, PermissionCache } from '../../src/permissions/cache.ts'
import { defaultRoleDefinitions } from '../../src/permissions/definitions.ts'
import { RedisPermissionCache } from '../../src/permissions/redis-cache.ts'
import { CachingPermissionService } from '../../src/permissions/service.ts'
import { Trust } from '../../src/permissions/trust.ts'
import { createRedis } from '../../src/redis/client.ts'
import { useRedis } from '../support/redis.ts'

/*
 * A role changes and its invalidation arrives in the middle of a resolution at each of two gateways on one Redis. A
 * resolution has three steps: the cache is read, the members table is read, the cache is written. Every order of the
 * steps of both and of the change's two is played.
 */

const { url, prefix } = useRedis()
const steps = { here: 3, there: 3, change: 2 } as const
type Actor = keyof typeof steps

let caches: Record<'here' | 'there', PermissionCache>

beforeAll(async () => {
  caches = { here: createCache(), there: createCache() }
  await Promise.all([caches.here.ready(), caches.there.ready()])
})

afterAll(async () => {
  await Promise.all([caches.here.close(), caches.there.close()])
})

test('after an invalidation neither gateway answers the old roles, whatever the order', async () => {
  const orders = interleavings(steps)
  expect(orders).toHaveLength(560)
  for (const [number, order] of orders.entries()) await play(order, `organization-${number}`)
})

async function play(order: readonly Actor[], organizationId: string): Promise<void> {
  const subject = { userId: 'u', organizationId }
  const members = new Members()
  const gateways = {
    here: new SteppedGateway(members, caches.here, subject),
    there: new SteppedGateway(members, caches.there, subject),
  }
  const changes = [
    async () => {
      members.role = 'member'
    },
    () => gateways.there.service.invalidate({ userId: subject.userId, organizationId }),
  ]
  const asked: Promise<readonly string[]>[] = []
  for (const actor of order) {
    if (actor === 'change') await changes.shift()?.()
    else await gateways[actor].step()
    if (changes.length === 0)
      for (const { service } of Object.values(gateways)) asked.push(rolesAt(service, subject))
  }
  for (const { service } of Object.values(gateways)) asked.push(rolesAt(service, subject))
  for (const roles of await Promise.all(asked)) expect(roles, order.join(' ')).toEqual(['member'])
}

async function rolesAt(service: CachingPermissionService, subject: Subject) {
  const [grant] = await service.resolve([subject], 'CACHED')
  return grant?.roles ?? []
}

/** The members table: what is committed is what the next read sees. */
class Members implements RoleRepository {
  role = 'owner'

  async findDynamicRoles(): Promise<ReadonlyMap<string, readonly DynamicRole[]>> {
    return new Map()
  }

  async findRoles(subjects: readonly Subject[]): Promise<RolesRead> {
    return {
      readAt: new Date(),
      subjects: subjects.map((subject) => ({
        ...subject,
        active: true,
        memberships: [this.role],
      })),
      dynamicRoles: new Map(),
    }
  }
}

/** A gateway with one resolution that waits before each of its steps; all other questions pass freely. */
class SteppedGateway {
  readonly service: CachingPermissionService
  readonly #subject: Subject
  readonly #gates = [new Gate(), new Gate(), new Gate()] as const
  #resolution: Promise<unknown> = Promise.resolve()
  #taken = 0

  constructor(members: Members, cache: PermissionCache, subject: Subject) {
    this.#subject = subject
    const [reading, looking, writing] = this.#gates
    this.service = new CachingPermissionService({
      definitions: defaultRoleDefinitions,
      dynamic: false,
      trust: new Trust({ continuous: false }),
      roles: {
        findDynamicRoles: () => members.findDynamicRoles(),
        findRoles: (subjects) =>
          looking.pass(() => members.findRoles(subjects)) ?? members.findRoles(subjects),
      },
      cache: {
        read: (...question) =>
          reading.pass(() => cache.read(...question)) ?? cache.read(...question),
        write: (entries: readonly CacheEntry[]) =>
          writing.pass(() => cache.write(entries)) ?? cache.write(entries),
        invalidate: (target) => cache.invalidate(target),
        ready: () => cache.ready(),
        close: () => cache.close(),
      },
    })
  }

  /**
   * Takes the next step of the stepped resolution, and ends when it has been taken. One that is answered from the cache,
   * or by what another question has begun to read, has but one.
   */
  async step(): Promise<void> {
    if (this.#taken === 0)
      this.#resolution = stepped.run(true, () => this.service.resolve([this.#subject], 'CACHED'))
    const [reading, looking, writing] = this.#gates
    if (this.#taken === 0) await reading.open()
    if (this.#taken === 1) await Promise.race([looking.open(), this.#resolution])
    if (this.#taken === 2 && looking.isPassed()) await writing.open()
    this.#taken += 1
  }
}

const stepped = new AsyncLocalStorage<true>()

/** Holds what the stepped resolution does until it is opened. */
class Gate {
  #passed = false
  #arrived = () => {}
  readonly #arrival = new Promise<void>((resolve) => {
    this.#arrived = resolve
  })
  #let = () => {}
  readonly #leave = new Promise<void>((resolve) => {
    this.#let = resolve
  })
  #done: Promise<unknown> = Promise.resolve()

  /** `undefined` for everybody else. */
  pass<Result>(work: () => Promise<Result>): Promise<Result> | undefined {
    if (!stepped.getStore()) return undefined
    const done = this.#leave.then(work)
    this.#done = done
    this.#arrived()
    return done
  }

  isPassed(): boolean {
    return this.#passed
  }

  async open(): Promise<void> {
    await this.#arrival
    this.#passed = true
    this.#let()
    await this.#done
  }
}

function interleavings(left: Readonly<Record<Actor, number>>): Actor[][] {
  const actors = (Object.keys(left) as Actor[]).filter((actor) => left[actor] > 0)
  if (actors.length === 0) return [[]]
  return actors.flatMap((actor) =>
    interleavings({ ...left, [actor]: left[actor] - 1 }).map((rest) => [actor, ...rest]),
  )
}

function createCache(): PermissionCache {
  const options = { timeoutMs: 2000, onTrouble: () => {} }
  const client = createRedis(url, options)
  return new RedisPermissionCache(client, { ...options, prefix, ttlSeconds: 300, version: 'v1' })
}
