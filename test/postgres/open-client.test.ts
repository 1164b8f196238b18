import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, openClient } from '../../src/client.ts'
import { world } from '../support/world.ts'

const { identity, sql, ada, acme } = await world({ own: true })
// As the owner, so that what refuses is not the lack of a grant.
const client = openClient({ url: identity.ownerUrl, poolSize: 2 })
afterAll(() => client.close())

test("Better Auth's tables are read under their canonical names, with what they point to", async () => {
  const members = await client.models.member.findMany({
    where: { organizationId: acme.id, userId: ada.id },
    select: { user: { select: { name: true } }, organization: { select: { slug: true } } },
  })
  expect(members).toEqual([{ user: { name: ada.name }, organization: { slug: acme.slug } }])
})

describe('writing is refused', () => {
  const where = { id: ada.id }
  const data = { name: 'Changed' }
  const { models } = client

  test.each<[string, () => Promise<unknown>]>([
    // @ts-expect-error There is no update.
    ['update', () => models.user.update({ where, data })],
    // @ts-expect-error There is no updateMany.
    ['updateMany', () => models.user.updateMany({ data })],
    // @ts-expect-error There is no create.
    ['create', () => models.team.create({ data: { id: 't', name: 'T' } })],
    // @ts-expect-error There is no upsert.
    ['upsert', () => models.user.upsert({ where, update: data, create: { ...where, ...data } })],
    // @ts-expect-error There is no delete.
    ['delete', () => models.user.delete({ where })],
    // @ts-expect-error There is no deleteMany.
    ['deleteMany', () => models.session.deleteMany()],
    // @ts-expect-error There is no $executeRawUnsafe.
    ['$executeRawUnsafe', () => models.$executeRawUnsafe("update users set name = 'Changed'")],
    // @ts-expect-error There is no $queryRawUnsafe.
    ['$queryRawUnsafe', () => models.$queryRawUnsafe("update users set name = 'Changed'")],
    // @ts-expect-error There is no $transaction.
    ['$transaction', () => models.$transaction([models.user.deleteMany()])],
  ])('%s', async (_how, attempt) => {
    await expect(async () => attempt()).rejects.toThrow('query-only')
    const [row] = await sql<{ name: string }>('select name from users where id = $1', [ada.id])
    expect(row?.name).toBe(ada.name)
  })
})

test('a schema file that cannot be read is named', () => {
  expect(() =>
    openClient({ url: identity.ownerUrl, schemaFile: '/nowhere/schema.prisma' }),
  ).toThrow(ConfigError)
})
