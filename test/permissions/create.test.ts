import { expect, onTestFinished, test } from 'vitest'
import { createPermissions } from '../../src/permissions/create.ts'
import { defaultRoleDefinitions } from '../../src/permissions/definitions.ts'
import { someone } from '../contract/permission-cache.ts'
import { useRedis } from '../support/redis.ts'
import { CountingRoles } from './counting-roles.ts'

const { url, prefix } = useRedis()

async function permissionsOf(origin: readonly string[], role: string) {
  const roles = new CountingRoles()
  roles.role = role
  const { service, cache } = createPermissions({
    definitions: defaultRoleDefinitions,
    dynamic: false,
    origin,
    ttlSeconds: 300,
    redis: { url, keyPrefix: prefix, timeoutMs: 2000 },
    continuous: false,
    roles,
    onReads: () => {},
    onJoin: () => {},
    onTrouble: () => {},
    onBack: () => {},
  })
  onTestFinished(() => cache.close())
  await expect.poll(() => cache.ready()).toBe(true)
  return service
}

test.each([
  ['issuers', ['public', 'https://auth.example.com'], ['public', 'https://staging.example.com']],
  ['schemas', ['public'], ['staging']],
])(
  'environments of different %s share a Redis and a prefix, and no answer',
  async (_, one, two) => {
    const subject = someone()
    const production = await permissionsOf(one, 'member')
    const replica = await permissionsOf(one, 'member')
    const staging = await permissionsOf(two, 'owner')
    await production.resolve([subject], 'CACHED')
    await expect
      .poll(async () => (await replica.resolve([subject], 'CACHED'))[0]?.source)
      .toBe('CACHE')
    expect(await staging.resolve([subject], 'CACHED')).toEqual([
      expect.objectContaining({ roles: ['owner'], source: 'DATABASE' }),
    ])
  },
)
