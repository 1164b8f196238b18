import { connect, createServer } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { isHeard, PostgresNotifications } from '../../src/postgres/postgres-notifications.ts'
import { describeUnreachable } from '../../src/postgres/unreachable.ts'
import { type PostgresProcess, startPostgresProcess } from '../support/postgres-process.ts'

let postgres: PostgresProcess
let sender: pg.Pool

beforeAll(async () => {
  postgres = await startPostgresProcess()
  sender = new pg.Pool({ connectionString: postgres.url, max: 1 })
  sender.on('error', () => {})
})

afterAll(async () => {
  await sender.end()
  await postgres.remove()
})

const notify = (channel: string, payload: string) =>
  sender.query('select pg_notify($1, $2)', [channel, payload])

test('what is notified is heard, and tells a gateway that listens nothing', async () => {
  const listener = { heard: vi.fn(), lost: vi.fn(), changed: vi.fn() }
  const news = new PostgresNotifications({ url: postgres.url, listener, onTrouble: () => {} })
  await vi.waitFor(() => expect(listener.heard).toHaveBeenCalled())
  expect(await isHeard(postgres.url, notify)).toBe(true)
  await news.close()
  expect(listener.lost).not.toHaveBeenCalled()
  expect(listener.changed).not.toHaveBeenCalled()
})

test('it is sent by the listening address where the database that is read cannot', async () => {
  const refuse = () => Promise.reject(new Error('cannot execute NOTIFY during recovery'))
  expect(await isHeard(postgres.url, refuse)).toBe(true)
})

test('a listener that hears nothing of what it notifies itself counts as none, and says what to correct', async () => {
  const deaf = await startDeafProxy(postgres.url)
  const listener = { heard: vi.fn(), lost: vi.fn(), changed: vi.fn() }
  const onTrouble = vi.fn()
  const news = new PostgresNotifications({ url: deaf.url, listener, onTrouble })
  await vi.waitFor(() => expect(onTrouble).toHaveBeenCalledOnce(), 5000)
  expect(listener.heard).not.toHaveBeenCalled()
  expect(
    describeUnreachable(onTrouble.mock.lastCall?.[0], deaf.url, 'DATABASE_LISTEN_URL'),
  ).toMatch(
    /passes on nothing that is notified, .*; name the server itself: check DATABASE_LISTEN_URL\.$/,
  )
  deaf.hears = true
  await vi.waitFor(() => expect(listener.heard).toHaveBeenCalled(), 5000)
  await news.close()
  await deaf.stop()
})

test('what never arrives is not waited for', async () => {
  expect(await isHeard(postgres.url, () => Promise.resolve())).toBe(false)
})

/** Imitates a pooler that shares sessions as far as that notifications do not arrive; a real one is in the long tests. */
async function startDeafProxy(url: string) {
  const { hostname, port } = new URL(url)
  const server = createServer((client) => {
    const database = connect(Number(port), hostname)
    client.pipe(database).on('error', () => {})
    client.on('error', () => {})
    client.on('close', () => database.destroy())
    database.on('close', () => client.destroy())
    let said = Buffer.alloc(0)
    database.on('data', (chunk) => {
      said = Buffer.concat([said, chunk])
      while (said.length >= 5 && said.length > said.readInt32BE(1)) {
        const message = said.subarray(0, 1 + said.readInt32BE(1))
        said = said.subarray(message.length)
        if (proxy.hears || message[0] !== NOTIFICATION) client.write(message)
      }
    })
  })
  const at = await listen(server, 0, '127.0.0.1')
  const proxy = {
    url: Object.assign(new URL(url), { port: String(at) }).href,
    hears: false,
    stop: () => close(server),
  }
  return proxy
}

const NOTIFICATION = 'A'.charCodeAt(0)

test('a standby is named as what cannot be listened to', async () => {
  await postgres.stop()
  await postgres.start({ standby: true })
  const error: unknown = await isHeard(postgres.url, notify).catch((failure: unknown) => failure)
  expect(describeUnreachable(error, postgres.url, 'DATABASE_LISTEN_URL')).toMatch(
    /is a standby, where nothing can be listened to; name the primary: check DATABASE_LISTEN_URL\.$/,
  )
})
