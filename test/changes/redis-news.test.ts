import { Redis } from 'ioredis'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { identityGateway } from '../../src/better-auth/better-auth-plugin.ts'
import { decodeAnnouncement } from '../../src/permissions/announcement.ts'
import { call, changes, type Scene } from '../support/changes.ts'
import { changesWorld } from '../support/changes-world.ts'
import type { Subscribed } from '../support/events.ts'
import { startRedisProcess } from '../support/redis-process.ts'

/* What the plug-in for Better Auth tells, and nothing that triggers would. */

const redis = await startRedisProcess()
const client = new Redis(redis.url)
const plugin = identityGateway({ redisUrl: redis.url })
const { of, listen } = await changesWorld(
  { PERMISSION_EVENTS: 'redis', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' },
  { plugins: [plugin] },
)
const { identity, services, ada, eve, root, acme } = of
const { subscribe } = await listen()
const scene: Scene = { identity, admin: root }
const service = await services.token('identity:read')

afterAll(async () => {
  plugin.close()
  await client.quit()
  await redis.kill()
})

const VIEWER = 'subscription { viewerChanged { kind } }'
const ACCESS = `subscription ($after: String) { accessChanged(after: $after) {
  kind userIds organizationIds resumeToken } }`
const ORGANIZATION = 'subscription ($id: ID!) { organizationChanged(id: $id) { kind } }'

async function begun(query: string, token: string, variables = {}): Promise<Subscribed> {
  const stream = await subscribe(query, { token, variables })
  expect((await stream.next()).errors).toBeUndefined()
  return stream
}

describe('is told to who is concerned, as news of an organization and of a member:', () => {
  test.each(Object.entries(changes))('%s', async (name, change) => {
    const organization = await identity.createOrganization(root, `Of ${name.replaceAll(',', '')}`)
    const person = await identity.signUp(`Who is ${name.replaceAll(',', '')}`)
    const make = await change.prepare(scene, organization, person)
    const isAboutAccount = name.includes('banning')
    const streams = [await begun(ACCESS, service)]
    if (!isAboutAccount) streams.push(await begun(ORGANIZATION, service, { id: organization.id }))
    // Whoever is banned cannot wait for the end of it.
    if (name !== 'unbanning') streams.push(await begun(VIEWER, await person.jwt()))
    const stranger = await begun(VIEWER, await ada.jwt())
    // What was made ready may still be on its way.
    await Promise.all(
      streams.map(async (stream) => {
        while (!(await stream.isQuiet(550))) await stream.next()
      }),
    )
    await make()
    const told = await Promise.all(streams.map(async (stream) => (await stream.next()).data))
    const { kind, userIds, organizationIds } = told[0].accessChanged
    if (kind !== 'READ_AGAIN')
      expect([person.id, organization.id]).toContain([...userIds, ...organizationIds][0])
    const isOfAll = name === 'deleting an organization' || name === 'deleting a user'
    expect(kind).toBe(isOfAll ? 'READ_AGAIN' : 'CHANGED')
    expect(await stranger.isQuiet(300)).toBe(!isOfAll)
    for (const stream of [...streams, stranger]) stream.close()
  })

  test('making one', async () => {
    const stream = await begun(VIEWER, await eve.jwt())
    await call(scene, eve, '/organization/create', { name: 'New', slug: 'new' })
    expect((await stream.next()).data.viewerChanged.kind).toBe('CHANGED')
  })

  test('teams, their members, its name, and sessions', async () => {
    const [ofAcme, ofAda] = [
      await begun(ORGANIZATION, service, { id: acme.id }),
      await begun(VIEWER, await ada.jwt()),
    ]
    const organizationId = acme.id
    const { id: teamId } = await call(scene, ada, '/organization/create-team', {
      name: 'T',
      organizationId,
    })
    await ofAcme.next()
    await call(scene, ada, '/organization/add-team-member', {
      teamId,
      userId: ada.id,
      organizationId,
    })
    await Promise.all([ofAcme.next(), ofAda.next()])
    await call(scene, ada, '/organization/update', { organizationId, data: { name: 'Acme 2' } })
    await ofAcme.next()
    await identity.betterAuth.auth.api.signInEmail({
      body: { email: ada.email, password: ada.password },
    })
    await ofAda.next()
  })
})

describe('a connection that was lost', () => {
  test('is noticed: what waits is told to read again, and a token from before is good for nothing', async () => {
    const stream = await begun(ACCESS, service)
    const first = await subscribe(ACCESS, { token: service })
    const { resumeToken } = (await first.next()).data.accessChanged
    expect(resumeToken).toEqual(expect.any(String))
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    expect((await stream.next(5000)).data.accessChanged.kind).toBe('READ_AGAIN')
    const again = await begun(ACCESS, service, { after: resumeToken })
    expect(again.events[0].data.accessChanged.kind).toBe('READ_AGAIN')
    await call(scene, ada, '/organization/update', { organizationId: acme.id, data: { name: 'A' } })
    expect((await again.next()).data.accessChanged.organizationIds).toEqual([acme.id])
  })

  test('ends what waits when it is away for long, and lets others begin when it is back', async () => {
    const stream = await begun(VIEWER, await ada.jwt())
    redis.hang()
    expect(await stream.end(20_000)).toBe('cut')
    const refused = await subscribe(VIEWER, { token: await ada.jwt() })
    expect((await refused.next()).errors[0].extensions.code).toBe('UNAVAILABLE')
    redis.resume()
    await vi.waitFor(
      async () => {
        const again = await subscribe(VIEWER, { token: await ada.jwt() })
        const { data } = await again.next()
        again.close()
        expect(data?.viewerChanged).toEqual({ kind: 'READ_AGAIN' })
      },
      { timeout: 10_000, interval: 200 },
    )
  }, 40_000)
})

test('announcements of whoever may publish are taken as far as they are some', () => {
  const taken = { userId: 'u', within: 'o' }
  expect(
    decodeAnnouncement(JSON.stringify({ ...taken, later: 'x', __proto__: { again: true } })),
  ).toEqual(taken)
  for (const text of [
    '{"later":"x"}',
    '{"again":false}',
    '{"userId":1}',
    '{"sessionsOf":["s"]}',
    '[]',
    '',
  ])
    expect([text, decodeAnnouncement(text)]).toEqual([text, undefined])
})
