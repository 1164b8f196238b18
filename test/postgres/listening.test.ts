import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
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

test('what never arrives is not waited for', async () => {
  expect(await isHeard(postgres.url, () => Promise.resolve())).toBe(false)
})

test('a standby is named as what cannot be listened to', async () => {
  await postgres.stop()
  await postgres.start({ standby: true })
  const error: unknown = await isHeard(postgres.url, notify).catch((failure: unknown) => failure)
  expect(describeUnreachable(error, postgres.url, 'DATABASE_LISTEN_URL')).toMatch(
    /is a standby, where nothing can be listened to; name the primary: check DATABASE_LISTEN_URL\.$/,
  )
})
