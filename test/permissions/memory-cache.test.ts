import { describe, expect, test } from 'vitest'
import { MemoryPermissionCache } from '../../src/permissions/memory-cache.ts'
import { grantOf, permissionCacheContract, someone } from '../contract/permission-cache.ts'

permissionCacheContract(
  'MemoryPermissionCache',
  async (options) => new MemoryPermissionCache({ ...options, maxEntries: 10_000 }),
)

describe('a full MemoryPermissionCache', () => {
  const stranger = () => grantOf({ member: false, roles: [], permissions: [] })
  const epochs = { organization: '', user: '' }

  test('keeps a bounded number of grants', async () => {
    const cache = new MemoryPermissionCache({ ttlSeconds: 300, maxEntries: 10 })
    const subjects = Array.from({ length: 100 }, someone)
    await cache.write(subjects.map((subject) => ({ subject, grant: grantOf(), epochs })))
    const answers = await cache.read(subjects, 'CACHED')
    expect(answers.filter((answer) => answer.grant)).toHaveLength(10)
  })

  test('loses no member to questions about strangers', async () => {
    const cache = new MemoryPermissionCache({ ttlSeconds: 300, maxEntries: 10 })
    const member = someone()
    await cache.write([{ subject: member, grant: grantOf(), epochs }])
    const strangers = Array.from({ length: 100 }, someone)
    await cache.write(strangers.map((subject) => ({ subject, grant: stranger(), epochs })))
    const [kept, ...others] = await cache.read([member, ...strangers], 'CACHED')
    expect(kept?.grant?.member).toBe(true)
    expect(others.filter((answer) => answer.grant)).toHaveLength(1)
  })

  test('forgets everything rather than an invalidation', async () => {
    const cache = new MemoryPermissionCache({ ttlSeconds: 300, maxEntries: 10 })
    const subject = someone()
    await cache.write([{ subject, grant: grantOf(), epochs }])
    await cache.invalidate({ userId: subject.userId })
    for (let count = 0; count < 100; count++) await cache.invalidate({ userId: someone().userId })
    expect((await cache.read([subject], 'CACHED'))[0]?.grant).toBeUndefined()
  })
})
