import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { acceptingKeys, createKeys, organizationConfig } from '../support/api-keys.ts'
import { changesWorld } from '../support/changes-world.ts'
import type { Subscribed, Told } from '../support/events.ts'
import { createApp } from '../support/oauth.ts'

const { of, listen } = await changesWorld()
const { sql, ada, bob, carol, root, acme, evil, identity, services } = of
const giveKey = await createKeys(identity)
const { app, environment } = await createApp(identity)
const variables = { ...environment, ...(await acceptingKeys(identity)) }
const [one, other] = await Promise.all([listen(variables), listen(variables)])
const listeningSince = performance.now()

const ACCESS = `subscription ($after: String) { accessChanged(after: $after) {
  kind userIds organizationIds resumeToken
} }`
const token = await services.token('identity:read')

const open = (after?: string, at = one) => at.subscribe(ACCESS, { token, variables: { after } })
const told = ({ data, errors }: Told) => {
  expect(errors).toBeUndefined()
  const { resumeToken, ...rest } = data.accessChanged
  expect(resumeToken).toEqual(expect.any(String))
  return { ...rest, resumeToken } as {
    kind: string
    userIds: string[]
    organizationIds: string[]
    resumeToken: string
  }
}
const begun = async () => {
  const stream = await open()
  expect(told(await stream.next())).toMatchObject({
    ...{ kind: 'READ_AGAIN', userIds: [], organizationIds: [] },
  })
  return stream
}
/** Everything that is told until nothing comes for a while. */
async function all(stream: Subscribed, quietMs = 700) {
  const events = []
  while (!(await stream.isQuiet(quietMs))) events.push(told(await stream.next()))
  return {
    kinds: events.map(({ kind }) => kind),
    users: new Set(events.flatMap(({ userIds }) => userIds)),
    organizations: new Set(events.flatMap(({ organizationIds }) => organizationIds)),
    resumeToken: events.at(-1)?.resumeToken ?? '',
  }
}
const rename = (id: string, name: string) =>
  sql('update users set name = $2 where id = $1', [id, name])

test('tells ids of what changes, of everybody', async () => {
  const stream = await begun()
  await rename(carol.id, 'Carol C.')
  expect(told(await stream.next())).toMatchObject({
    ...{ kind: 'CHANGED', userIds: [carol.id], organizationIds: [] },
  })
  await sql("update members set role = 'approver' where user_id = $1", [bob.id])
  await sql("update organizations set name = 'Evil 2' where id = $1", [evil.id])
  const { users, organizations, kinds } = await all(stream)
  expect(users).toEqual(new Set([bob.id]))
  expect(organizations).toEqual(new Set([acme.id, evil.id]))
  expect(new Set(kinds)).toEqual(new Set(['CHANGED']))
})

test('sessions are not told', async () => {
  const stream = await begun()
  // Better Auth's own sign-in would be told: its plug-in notes in the account how somebody has signed in.
  await sql('create table sessions_before as select * from sessions where user_id = $1', [ada.id])
  await sql('delete from sessions where user_id = $1', [ada.id])
  await sql('insert into sessions select * from sessions_before')
  await sql('update sessions set updated_at = now()')
  expect(await all(stream)).toMatchObject({ kinds: [], users: new Set() })
})

describe('goes on where an earlier one ended', () => {
  test('at any gateway of the database, without leaving out anything', async () => {
    // What came in its first seconds may have been told by others before it listened.
    await sleep(Math.max(0, 11_500 - (performance.now() - listeningSince)))
    const first = await begun()
    await rename(ada.id, 'Ada L.')
    const { resumeToken } = told(await first.next())
    first.close()
    await rename(bob.id, 'Bob B.')
    await sql("update organizations set name = 'Evil 3' where id = $1", [evil.id])
    for (const gateway of [one, other]) {
      const stream = await open(resumeToken, gateway)
      const missed = await all(stream, 300)
      expect(missed.kinds[0]).toBe('CHANGED')
      expect(missed.kinds).not.toContain('READ_AGAIN')
      expect(missed.users).toContain(bob.id)
      expect(missed.organizations).toContain(evil.id)
      await rename(carol.id, `Carol at ${gateway.url}`)
      expect(told(await stream.next()).userIds).toContain(carol.id)
    }
  }, 25_000)

  test('again and again, without an end', async () => {
    let { resumeToken } = told(await (await open()).next())
    for (const [round, person] of [ada, bob, carol].entries()) {
      await rename(person.id, `Round ${round}`)
      const missed = await all(await open(resumeToken, round % 2 ? one : other), 250)
      expect(missed.kinds).not.toContain('READ_AGAIN')
      expect(missed.users).toContain(person.id)
      resumeToken = missed.resumeToken
    }
  })

  test('and says to read again what nobody knows any more', async () => {
    const encode = (text: string) => Buffer.from(text).toString('base64url')
    const unknown = [
      `database ${Date.now() - 3_600_000}`,
      'database 0',
      // As of a clock that was put back since, or of another server.
      `database ${Date.now() + 3_600_000}`,
      'database 9999999999999999',
      `another ${Date.now()}`,
    ]
    for (const text of unknown) {
      const stream = await open(encode(text))
      expect([text, told(await stream.next()).kind]).toEqual([text, 'READ_AGAIN'])
      stream.close()
    }
  })

  test('and refuses what never was a token', async () => {
    const encode = (text: string) => Buffer.from(text).toString('base64url')
    const malformed = [
      '',
      ' ',
      'x',
      '%',
      encode('database'),
      encode('database -1'),
      encode('a b c'),
    ]
    for (const after of [...malformed, encode('database 1e9'), 'A'.repeat(10_000)]) {
      const stream = await open(after)
      expect(await stream.next()).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      })
      expect(await stream.end()).toBe('complete')
    }
  })
})

describe('of very much, it says to read again:', () => {
  const many = (from: number, to: number) =>
    sql(
      "update users set name = name || '.' where id like 'many-%' and image::int between $1 and $2",
      [from, to],
    )

  test('more than 1,000 ids of several statements, or of one, or all of a table', async () => {
    await sql(
      `insert into users (id, name, email, email_verified, image)
        select 'many-' || n, 'N', 'many-' || n || '@example.com', true, n from generate_series(1, 1200) n`,
    )
    const stream = await begun()
    await many(1, 1000)
    const exactly = told(await stream.next())
    expect(exactly.kind).toBe('CHANGED')
    expect(new Set(exactly.userIds).size).toBe(1000)
    await Promise.all([many(1, 600), many(601, 1200)])
    const both = await all(stream)
    expect(both.kinds).toContain('READ_AGAIN')
    await many(1, 1001)
    expect(told(await stream.next())).toMatchObject({ kind: 'READ_AGAIN', userIds: [] })
    await sql('create table members_before as select * from members; truncate members')
    expect(told(await stream.next())).toMatchObject({ kind: 'READ_AGAIN', userIds: [] })
    await sql('insert into members select * from members_before; drop table members_before')
    expect(told(await stream.next()).organizationIds.toSorted()).toEqual(
      [acme.id, evil.id].toSorted(),
    )
  })
})

test('what a gateway remembers has an end, and what is older is to be read again', async () => {
  const { resumeToken } = told(await (await open()).next())
  // 24 statements of 900 ids are more than 20,000.
  for (let round = 0; round < 24; round += 1)
    await sql("update users set name = $1 where id like 'many-%' and image::int <= 900", [
      `Round ${round}`,
    ])
  await vi.waitFor(async () => {
    const stream = await open(resumeToken)
    const { kind } = told(await stream.next())
    stream.close()
    expect(kind).toBe('READ_AGAIN')
  }, 5000)
})

test('is for services that may read, and nobody else', async () => {
  const ofUser = await giveKey({ reference_id: ada.id })
  const ofAcme = await giveKey({ reference_id: acme.id, config_id: organizationConfig })
  const refused: readonly [string, string, object][] = [
    [
      'FORBIDDEN',
      'a service without identity:read',
      bearer(await services.token('permissions:check')),
    ],
    ['FORBIDDEN', 'a user', bearer(await ada.jwt())],
    ['FORBIDDEN', 'an app', bearer(await app.token(ada, 'identity:read identity:pii'))],
    ['FORBIDDEN', 'an app of an admin', bearer(await app.token(root, 'identity:read'))],
    ['FORBIDDEN', 'an admin', bearer(await root.jwt())],
    ['FORBIDDEN', 'a key of a user', { 'x-api-key': ofUser }],
    ['FORBIDDEN', 'a key of an organization', { 'x-api-key': ofAcme }],
    ['UNAUTHENTICATED', 'nobody', {}],
  ]
  for (const [code, who, headers] of refused) {
    const stream = await one.subscribe(ACCESS, { headers: { ...headers } })
    const { data, errors } = await stream.next()
    expect([who, errors?.[0].extensions.code, data?.accessChanged ?? null]).toEqual([
      who,
      code,
      null,
    ])
    expect(await stream.end()).toBe('complete')
    expect(stream.events).toHaveLength(1)
  }
})

function bearer(token: string) {
  return { authorization: `Bearer ${token}` }
}
