import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { queryObjects } from 'node:v8'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Subscriber } from '../../src/changes/subscriber.ts'
import { EventStream } from '../../src/stream.ts'
import { changesWorld, type Listening } from '../support/changes-world.ts'
import { startServing } from '../support/cli.ts'
import { type Subscribed, subscribe } from '../support/events.ts'

const { of, listen } = await changesWorld({ LIMIT_SUBSCRIPTIONS_PER_CALLER: '3' })
const { sql, ada, bob, carol, eve, rita, acme, evil, services, environment } = of
const metered = { METRICS_PORT: '0' }

const VIEWER = 'subscription { viewerChanged { kind viewer { name } } }'
const ACCESS = 'subscription { accessChanged { kind } }'
const READ_AGAIN = { data: { viewerChanged: { kind: 'READ_AGAIN' } } }

const codeOf = async (stream: Subscribed) => (await stream.next()).errors?.[0].extensions.code
const rename = (id: string, name: string) =>
  sql('update users set name = $2 where id = $1', [id, name])

/** How many are open, as the gateway counts. */
async function open({ gateway }: Listening): Promise<number> {
  const printed = (await gateway.metrics?.print()) ?? ''
  return Number(/^\S*subscriptions\S* (\d+)$/m.exec(printed)?.[1])
}
const noneAreOpen = (of: Listening) => vi.waitFor(async () => expect(await open(of)).toBe(0), 5000)

describe('at once', async () => {
  const few = await listen({ ...metered, LIMIT_SUBSCRIPTIONS: '6' })
  const take = async (token: string, query = VIEWER) => {
    const stream = await few.subscribe(query, { token })
    expect(await stream.next()).toMatchObject({ data: expect.anything() })
    return stream
  }

  test('a caller has so many, and another again when one of them ends', async () => {
    const token = await ada.jwt()
    const taken = [await take(token), await take(token), await take(token)]
    const refused = await few.subscribe(VIEWER, { token })
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'LIMIT_EXCEEDED'])
    expect(refused.headers['retry-after']).toBe('10')
    expect(await refused.end()).toBe('complete')
    const other = await take(await bob.jwt())
    taken[0]?.close()
    await vi.waitFor(async () => expect(await open(few)).toBe(3))
    const again = await take(token)
    for (const stream of [...taken, other, again]) stream.close()
    await noneAreOpen(few)
  })

  test('services have three quarters of all, and all have no more than there are', async () => {
    const token = await services.token('identity:read')
    const taken = []
    for (let i = 0; i < 5; i += 1) taken.push(await take(token, ACCESS))
    expect((await few.subscribe(ACCESS, { token })).status).toBe(429)
    taken.push(await take(await ada.jwt()))
    const refused = await few.subscribe(VIEWER, { token: await bob.jwt() })
    expect([refused.status, await codeOf(refused)]).toEqual([503, 'UNAVAILABLE'])
    for (const stream of taken) stream.close()
    await noneAreOpen(few)
  })

  test('what is refused takes no place, and what ends gives its place back', async () => {
    const foreign = `subscription { organizationChanged(id: "${evil.id}") { kind } }`
    for (const query of [foreign, ACCESS, 'subscription { organizationChanged(id: "") { kind } }'])
      for (let i = 0; i < 4; i += 1)
        await (await few.subscribe(query, { token: await ada.jwt() })).end()
    expect(await open(few)).toBe(0)
    const ending = await take(await carol.jwt())
    await sql('update users set banned = true where id = $1', [carol.id])
    expect(await ending.end()).toBe('complete')
    await sql('update users set banned = false where id = $1', [carol.id])
    await noneAreOpen(few)
  })

  test('with 0 there are none, as without news', async () => {
    for (const variables of [{ LIMIT_SUBSCRIPTIONS: '0' }, { PERMISSION_EVENTS: 'off' }]) {
      const gateway = of.gatewayWith({ PERMISSION_EVENTS: 'postgres', ...variables })
      const { errors } = await gateway.graphql(VIEWER, { token: await ada.jwt() })
      expect(errors).toMatchObject([{ extensions: { code: 'READ_ONLY' } }])
    }
  })
})

test('what events cost is spent, and whoever has none left gets the event when they have', async () => {
  const listening = await listen({ LIMIT_COST_PER_MINUTE: '6000' })
  const query = `subscription { viewerChanged { kind viewer { name
    memberships(first: 40) { nodes { organization { members(first: 1) { nodes { id } } } } } } } }`
  const token = await bob.jwt()
  const stream = await listening.subscribe(query, { token, headers: { 'x-graphql-cost': '1' } })
  const first = await stream.next()
  expect(first).toMatchObject({ extensions: { cost: { perMinute: 6000 } } })
  // Of the 600 that may be spent at once, there is too little left for another.
  expect(first.extensions.cost.requested).toBeGreaterThan(350)
  await rename(bob.id, 'Bob poor')
  expect(await stream.isQuiet(900)).toBe(true)
  const told = await stream.next(10_000)
  expect(told.errors).toBeUndefined()
  expect(told.data.viewerChanged).toMatchObject({ kind: 'CHANGED', viewer: { name: 'Bob poor' } })
  // It waits again, and not for longer than the gateway is there.
  await rename(bob.id, 'Bob poorer')
  expect(await stream.isQuiet(700)).toBe(true)
  listening.gateway.drain()
  expect(await stream.end(500)).toBe('cut')
}, 20_000)

test('a deadline is for what is answered, and not for how long somebody listens', async () => {
  const listening = await listen({ REQUEST_TIMEOUT_MS: '1000' })
  const stream = await listening.subscribe(VIEWER, { token: await eve.jwt() })
  expect(await stream.next()).toMatchObject(READ_AGAIN)
  expect(await stream.isQuiet(2000)).toBe(true)
  await rename(eve.id, 'Eve late')
  expect((await stream.next()).data.viewerChanged.viewer.name).toBe('Eve late')
  expect(stream.ended).toBeNull()
})

describe('whoever', async () => {
  const listening = await listen({ ...metered, LIMIT_SUBSCRIPTIONS_PER_CALLER: '2000' })
  afterEach(() => void vi.useRealTimers())

  test('reads is sent a comment every 12 seconds, and whoever does not is cut off', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const token = await rita.jwt()
    const reading = await listening.subscribe(VIEWER, { token })
    await reading.next()
    const slow = await rawSubscriber(listening, token)
    await vi.waitFor(async () => expect(await open(listening)).toBe(2))
    const beats = reading.beats
    vi.advanceTimersByTime(12_000)
    await vi.waitFor(() => expect(reading.beats).toBe(beats + 1))
    // Each is so long that the buffers on the way hold few of them.
    for (let round = 0; round < 6; round += 1) {
      await rename(rita.id, `${round}${'x'.repeat(3_500_000)}`)
      await reading.next(5000)
    }
    vi.advanceTimersByTime(12_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await open(listening)).toBe(2)
    vi.advanceTimersByTime(12_000)
    await vi.waitFor(async () => expect(await open(listening)).toBe(1))
    await vi.waitFor(() => expect(reading.beats).toBe(beats + 3))
    slow.destroy()
    reading.close()
    await noneAreOpen(listening)
  }, 30_000)

  test('comes and goes leaves nothing behind', async () => {
    await noneAreOpen(listening)
    const token = await bob.jwt()
    const many = <Result>(work: () => Promise<Result>) =>
      Promise.all(Array.from({ length: 100 }, work))
    for (let round = 0; round < 2; round += 1) {
      // The client goes.
      for (const stream of await many(() => listening.subscribe(VIEWER, { token }))) {
        await stream.next()
        stream.close()
      }
      // It goes before it has an answer, a little later each time.
      await many(() => goneAfter(listening, token, Math.random() * 30))
      // Nothing is there for it.
      await many(async () => (await listening.subscribe(ACCESS, { token })).end())
      // It is refused.
      await many(async () => (await listening.subscribe(VIEWER, {})).end())
      // Its event is the last one.
      const query = `subscription { organizationChanged(id: "${acme.id}") { kind } }`
      const ending = await many(() => listening.subscribe(query, { token }))
      await Promise.all(ending.map((stream) => stream.next()))
      await sql('create table if not exists was as select * from members where user_id = $1', [
        bob.id,
      ])
      await sql('delete from members where user_id = $1', [bob.id])
      for (const stream of ending) expect(await stream.end(10_000)).toBe('complete')
      await sql('insert into members select * from was')
    }
    await noneAreOpen(listening)
    // What nobody holds is collected before it is counted; something may still hold the last of them.
    for (const kind of [EventStream, Subscriber])
      expect(queryObjects(kind, { format: 'count' })).toBeLessThan(10)
  }, 60_000)
})

test('a gateway that drains cuts streams off, and lets nobody begin another', async () => {
  const draining = await listen(metered)
  const token = await ada.jwt()
  const streams = [
    await draining.subscribe(VIEWER, { token }),
    await draining.subscribe(ACCESS, { token: await services.token('identity:read') }),
  ]
  for (const stream of streams) await stream.next()
  draining.gateway.drain()
  for (const stream of streams) expect(await stream.end()).toBe('cut')
  expect(await codeOf(await draining.subscribe(VIEWER, { token }))).toBe('UNAVAILABLE')
  await noneAreOpen(draining)
})

test('SIGTERM cuts streams off, and the process ends', async () => {
  const serving = await startServing({
    ...environment,
    PERMISSION_EVENTS: 'postgres',
    SHUTDOWN_GRACE_MS: '300',
  })
  const url = `${serving.url}/graphql`
  const token = await ada.jwt()
  const streams: Subscribed[] = []
  await vi.waitFor(async () => {
    const stream = await subscribe(url, VIEWER, { token })
    expect(await stream.next()).toMatchObject(READ_AGAIN)
    streams.push(stream)
  }, 10_000)
  streams.push(await subscribe(url, VIEWER, { token: await bob.jwt() }))
  const begunAt = performance.now()
  const ended = serving.signal('SIGTERM')
  for (const stream of streams) expect(await stream.end(5000)).toBe('cut')
  expect(await ended).toBe(0)
  expect(performance.now() - begunAt).toBeLessThan(5000)
}, 30_000)

/** Subscribes, and reads nothing. */
async function rawSubscriber({ url }: Listening, token: string): Promise<Socket> {
  const { host, hostname, port, pathname } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  socket.pause()
  const query = encodeURIComponent(VIEWER)
  socket.write(
    `GET ${pathname}?query=${query} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`,
  )
  socket.on('error', () => {})
  return socket
}

async function goneAfter({ url }: Listening, token: string, milliseconds: number): Promise<void> {
  const asked = request(`${url}?query=${encodeURIComponent(VIEWER)}`, {
    agent: false,
    headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` },
  })
  asked.on('error', () => {})
  asked.on('response', (response) => response.on('error', () => {}))
  asked.end()
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  asked.destroy()
}
