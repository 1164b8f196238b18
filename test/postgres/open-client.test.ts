import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, openClient } from '../../src/client.ts'
import { prismaSchema } from '../support/layout.ts'
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
    await expect(async () => attempt()).rejects.toThrow(TypeError)
    const [row] = await sql<{ name: string }>('select name from users where id = $1', [ada.id])
    expect(row?.name).toBe(ada.name)
  })
})

test('there is nothing but reads of models, and no way to the client below them', () => {
  const reads = ['findUnique', 'findFirst', 'findMany', 'count', 'aggregate', 'groupBy']
  expect(Object.keys(client)).toEqual(['models', 'close'])
  for (const [name, model] of Object.entries(client.models)) {
    expect(Object.keys(model), name).toEqual(expect.arrayContaining(reads))
    expect(
      Object.keys(model).filter((key) => !/^(find|count|aggregate|groupBy)/.test(key)),
    ).toEqual([])
  }
  for (const hidden of ['$parent', '$extends', '$transaction', '$executeRaw', '_engine'])
    expect(Reflect.get(client.models, hidden)).toBeUndefined()
  expect(Object.isFrozen(client.models) && Object.isFrozen(client.models.user)).toBe(true)
})

test('a read without a selection asks for the columns that there are', async () => {
  await sql('alter table users drop column phone_number')
  const absent = '  // absent: the database has no such column\n'
  const schemaFile = await schemaFileOf(
    prismaSchema.replace(/^ {2}phoneNumber .*\n/m, (line) => absent + line),
  )
  const lacking = openClient({ url: identity.ownerUrl, schemaFile })
  expect(await lacking.models.user.findUnique({ where: { id: ada.id } })).toMatchObject({
    name: ada.name,
  })
  await lacking.close()
})

test('one that must be there and is not is told as Prisma tells it', async () => {
  await expect(
    client.models.organization.findUniqueOrThrow({ where: { id: 'nowhere' } }),
  ).rejects.toMatchObject({ code: 'P2025' })
})

test.each([
  ['cannot be read', async () => '/nowhere/schema.prisma'],
  ['is of something else', () => schemaFileOf('model Post {\n  id Int @id\n}\n')],
])('a schema file that %s is a ConfigError that names it', async (_what, makeFile) => {
  const schemaFile = await makeFile()
  const attempt = () => openClient({ url: identity.ownerUrl, schemaFile })
  expect(attempt).toThrow(ConfigError)
  expect(attempt).toThrow(/^PRISMA_SCHEMA_FILE: /)
})

async function schemaFileOf(text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'identity-client-')), 'schema.prisma')
  await writeFile(path, text)
  return path
}
