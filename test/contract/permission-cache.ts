import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Subject } from '../../src/domain/permission.ts'
import type { CachedGrant, Epochs, PermissionCache } from '../../src/permissions/cache.ts'

const ttlSeconds = 300
const never: Epochs = { organization: '', user: '' }

/** What every permission cache promises. Each `create` begins empty. */
export function permissionCacheContract(
  name: string,
  create: (options: { readonly ttlSeconds: number }) => Promise<PermissionCache>,
): void {
  describe(name, () => {
    let cache: PermissionCache
    beforeAll(async () => {
      cache = await create({ ttlSeconds })
      expect(await cache.ready()).toBe(true)
    })
    afterAll(() => cache.close())

    const read = async (subject: Subject) => (await cache.read([subject], 'CACHED'))[0]
    const write = async (subject: Subject, grant: CachedGrant, epochs?: Epochs) =>
      cache.write([{ subject, grant, epochs: epochs ?? (await epochsOf(subject)) }])
    const epochsOf = async (subject: Subject) => {
      const [read] = await cache.read([subject], 'FRESH')
      if (read?.epochs === undefined) throw new Error('The cache does not know its epochs.')
      return read.epochs
    }

    test('what was never written is a miss with known epochs', async () => {
      expect(await read(someone())).toEqual({ grant: undefined, epochs: never })
    })

    test.each([
      ['a member', grantOf()],
      ['a member who may do nothing', grantOf({ permissions: [] })],
      ['a non-member', grantOf({ member: false, roles: [], permissions: [] })],
      ['a banned member', grantOf({ active: false, permissions: [] })],
    ])('the grant of %s is read as it was written', async (_who, grant) => {
      const subject = someone()
      await write(subject, grant)
      expect((await read(subject))?.grant).toEqual(grant)
    })

    test('answers come in the order of the questions, repeated ones too', async () => {
      const [first, second, absent] = [someone(), someone(), someone()]
      await write(first, grantOf({ permissions: ['leave:request'] }))
      await write(second, grantOf({ permissions: ['leave:approve'] }))
      const answers = await cache.read([second, absent, first, second], 'CACHED')
      expect(answers.map((answer) => answer.grant?.permissions)).toEqual([
        ['leave:approve'],
        undefined,
        ['leave:request'],
        ['leave:approve'],
      ])
      expect(await cache.read([], 'CACHED')).toEqual([])
    })

    test('FRESH is told the epochs and no grant, also when CACHED asks beside it', async () => {
      const subject = someone()
      await cache.invalidate(subject)
      await write(subject, grantOf())
      const [[cached], [fresh]] = await Promise.all([
        cache.read([subject], 'CACHED'),
        cache.read([subject], 'FRESH'),
      ])
      expect(cached?.grant).toBeDefined()
      expect(fresh).toEqual({ grant: undefined, epochs: cached?.epochs })
    })

    test('an invalidated organization is a miss for everyone in it, and nobody else', async () => {
      const subject = someone()
      const colleague = { ...someone(), organizationId: subject.organizationId }
      const elsewhere = { ...someone(), userId: subject.userId }
      for (const each of [subject, colleague, elsewhere]) await write(each, grantOf())
      await cache.invalidate({ organizationId: subject.organizationId })
      expect((await read(subject))?.grant).toBeUndefined()
      expect((await read(colleague))?.grant).toBeUndefined()
      expect((await read(elsewhere))?.grant).toBeDefined()
    })

    test('an invalidated user is a miss in every organization, and nobody else is', async () => {
      const subject = someone()
      const colleague = { ...someone(), organizationId: subject.organizationId }
      const elsewhere = { ...someone(), userId: subject.userId }
      for (const each of [subject, colleague, elsewhere]) await write(each, grantOf())
      await cache.invalidate({ userId: subject.userId })
      expect((await read(subject))?.grant).toBeUndefined()
      expect((await read(colleague))?.grant).toBeDefined()
      expect((await read(elsewhere))?.grant).toBeUndefined()
    })

    test('a grant resolved under the epochs before an invalidation never counts', async () => {
      const subject = someone()
      const before = await epochsOf(subject)
      await cache.invalidate(subject)
      await write(subject, grantOf(), before)
      expect((await read(subject))?.grant).toBeUndefined()
      await cache.invalidate(subject)
      expect((await read(subject))?.grant).toBeUndefined()
      await write(subject, grantOf())
      expect((await read(subject))?.grant).toBeDefined()
    })

    test('every invalidation makes an epoch that was never there before', async () => {
      const subject = someone()
      const seen = new Set([JSON.stringify(await epochsOf(subject))])
      for (let count = 0; count < 10; count++) {
        await cache.invalidate(subject)
        seen.add(JSON.stringify(await epochsOf(subject)))
      }
      expect(seen.size).toBe(11)
    })

    test('an older resolution never overwrites a newer one, whatever either says', async () => {
      const subject = someone()
      const denied = { member: false, roles: [], permissions: [] }
      await write(subject, grantOf({ ...denied, resolvedAt: secondsAgo(2) }))
      await write(subject, grantOf({ resolvedAt: secondsAgo(3) }))
      expect((await read(subject))?.grant?.member).toBe(false)
      await write(subject, grantOf({ resolvedAt: secondsAgo(1) }))
      expect((await read(subject))?.grant?.member).toBe(true)
      await write(subject, grantOf({ ...denied, resolvedAt: secondsAgo(2) }))
      expect((await read(subject))?.grant?.member).toBe(true)
    })

    test.each([
      ['a member', grantOf(), ttlSeconds],
      ['a non-member', grantOf({ member: false, roles: [], permissions: [] }), 30],
      ['a banned member', grantOf({ active: false, permissions: [] }), 30],
    ])('the grant of %s is too old after its lifetime', async (_who, grant, lifetime) => {
      const [young, old, future] = [someone(), someone(), someone()]
      await write(young, { ...grant, resolvedAt: secondsAgo(lifetime - 5) })
      await write(old, { ...grant, resolvedAt: secondsAgo(lifetime + 1) })
      await write(future, { ...grant, resolvedAt: secondsAgo(-lifetime - 5) })
      expect((await read(young))?.grant).toBeDefined()
      expect((await read(old))?.grant).toBeUndefined()
      expect((await read(future))?.grant).toBeUndefined()
    })

    test.each([
      ['empty', ''],
      ['too long', 'x'.repeat(100_000)],
      ['not text', 'lone \ud800 surrogate'],
    ])('an id that is %s is never cached and fails nobody else', async (_what, id) => {
      const good = someone()
      const bad = [
        { ...someone(), userId: id },
        { ...someone(), organizationId: id },
      ]
      await cache.write(
        [good, ...bad].map((subject) => ({ subject, grant: grantOf(), epochs: never })),
      )
      await cache.invalidate({ organizationId: id, userId: id })
      const miss = { grant: undefined, epochs: undefined }
      const [hit, ...misses] = await cache.read([good, ...bad], 'CACHED')
      expect(hit?.grant).toBeDefined()
      expect(misses).toEqual([miss, miss])
      expect(await cache.read(bad, 'FRESH')).toEqual([miss, miss])
    })

    test('no subject ever gets the answer or the epoch of another, however hostile the ids', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(hostileSubject, uniquePairs), async (subjects) => {
          const organizationId = subjects[0]?.organizationId
          await cache.write(
            await Promise.all(
              subjects.map(async (subject, index) => ({
                subject,
                grant: grantOf({ permissions: [`subject:${index}`] }),
                epochs: await epochsOf(subject),
              })),
            ),
          )
          const written = await cache.read(subjects, 'CACHED')
          expect(written.map((answer) => answer.grant?.permissions)).toEqual(
            subjects.map((_subject, index) => [`subject:${index}`]),
          )
          await cache.invalidate({ organizationId })
          const left = await cache.read(subjects, 'CACHED')
          expect(left.map((answer) => answer.grant !== undefined)).toEqual(
            subjects.map((subject) => subject.organizationId !== organizationId),
          )
        }),
        { numRuns: 100 },
      )
    })
  })
}

export function grantOf(changes: Partial<CachedGrant> = {}): CachedGrant {
  return {
    active: true,
    member: true,
    roles: ['member', 'approver'],
    permissions: ['leave:approve', 'leave:request'],
    resolvedAt: new Date(),
    ...changes,
  }
}

export function someone(): Subject {
  return { organizationId: `o-${crypto.randomUUID()}`, userId: `u-${crypto.randomUUID()}` }
}

function secondsAgo(seconds: number): Date {
  return new Date(Date.now() - seconds * 1000)
}

const hostileId = fc.oneof(
  fc
    .array(fc.constantFrom('a', ':', '{', '}', '%', '%3A', '%7B', '/', ' ', '\0', 'é', '🙂'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join('')),
  fc.constantFrom('epoch', 'permissions', 'organization-epoch', 'user-epoch', '__proto__'),
)
const hostileSubject = fc.record({ organizationId: hostileId, userId: hostileId })
const uniquePairs = {
  minLength: 1,
  maxLength: 8,
  selector: (subject: Subject) => JSON.stringify([subject.organizationId, subject.userId]),
}
