import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { emitBusinessEvent } from '../../src/better-auth/writes.ts'
import { useRedis } from '../support/redis.ts'

const { url, prefix } = useRedis()
const redis = new Redis(url)
const script = fileURLToPath(new URL('../support/event-consumer.js', import.meta.url))

afterAll(() => redis.quit())

const hired = { type: 'com.example.employee.hired', source: '/payroll', data: { name: 'Ada' } }

test('an event is a CloudEvent in JSON', async () => {
  const stream = `${prefix}format`
  const time = new Date('2026-01-02T03:04:05Z')
  const id = await emitBusinessEvent(redis, { ...hired, subject: 'ada', time }, { stream })
  const [entry] = await redis.xrange(stream, '-', '+')
  expect(entry?.[1][0]).toBe('event')
  expect(JSON.parse(entry?.[1][1] ?? '')).toEqual({
    specversion: '1.0',
    id,
    source: '/payroll',
    type: 'com.example.employee.hired',
    subject: 'ada',
    time: '2026-01-02T03:04:05.000Z',
    datacontenttype: 'application/json',
    data: { name: 'Ada' },
  })
})

test('an event that is emitted again keeps its id, and one without words is refused', async () => {
  const options = { stream: `${prefix}again` }
  const id = await emitBusinessEvent(redis, hired, options)
  expect(await emitBusinessEvent(redis, { ...hired, id }, options)).toBe(id)
  expect(await emitBusinessEvent(redis, hired, options)).not.toBe(id)
  for (const wrong of [{ type: '' }, { source: '' }, { id: '' }])
    await expect(emitBusinessEvent(redis, { ...hired, ...wrong }, options)).rejects.toThrow(
      TypeError,
    )
})

test('the stream is trimmed', async () => {
  const stream = `${prefix}trimmed`
  for (let i = 0; i < 500; i++) await emitBusinessEvent(redis, hired, { stream, maxLength: 100 })
  expect(await redis.xlen(stream)).toBeLessThan(300)
})

const EVENTS = 1000

test('a consumer that is killed three times handles every event', async () => {
  const stream = `${prefix}killed`
  const handledKey = `${stream}:handled`
  let consumer = await startConsumer(stream)
  const emitting = (async () => {
    const ids: string[] = []
    while (ids.length < EVENTS) {
      ids.push(await emitBusinessEvent(redis, hired, { stream }))
      await setTimeout(1)
    }
    return ids
  })()
  for (const share of [0.1, 0.3, 0.6]) {
    await expect
      .poll(() => redis.hlen(handledKey), { timeout: 20_000, interval: 5 })
      .toBeGreaterThan(EVENTS * share)
    await kill(consumer)
    await setTimeout(50)
    consumer = await startConsumer(stream)
  }
  const ids = await emitting
  await expect.poll(() => redis.hlen(handledKey), { timeout: 20_000 }).toBe(EVENTS)
  await expect.poll(async () => (await redis.xpending(stream, 'identity'))[0]).toBe(0)
  await kill(consumer)
  const handled = await redis.hgetall(handledKey)
  expect(Object.keys(handled).toSorted()).toEqual(
    ids.map((id) => JSON.stringify(['/payroll', id])).toSorted(),
  )
  const again = Object.values(handled).filter((times) => times !== '1').length
  process.stdout.write(
    `measured: ${EVENTS} events, consumer killed 3 times: 0 lost, ${again} handled twice\n`,
  )
})

async function startConsumer(stream: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, url, stream], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
