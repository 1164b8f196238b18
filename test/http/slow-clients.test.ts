import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, expect, test } from 'vitest'
import { startServer } from '../../src/http/server.ts'
import { world } from '../support/world.ts'

const { gateway } = await world({ environment: { LIMIT_CONCURRENCY: '1' } })
const limits = {
  headersMs: 600,
  requestMs: 1200,
  silenceMs: 2000,
  idleMs: 1000,
  mostConnections: 20,
}
const server = await startServer(gateway, { host: '127.0.0.1', port: 0, limits })
const sockets: Socket[] = []

afterAll(() => server.stop())

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

async function open() {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  sockets.push(socket)
  let received = ''
  socket.on('data', (text) => {
    received += text
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return { socket, closed, received: () => received }
}

/** One byte at a time, for as long as the connection lasts. */
function trickle(socket: Socket, text: string): void {
  let sent = 0
  const timer = setInterval(() => socket.write(text[sent++ % text.length] ?? ''), 50)
  socket.once('close', () => clearInterval(timer))
}

const head = (length: number) =>
  `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

test('headers that never end are cut off with 408', async () => {
  const { socket, closed, received } = await open()
  socket.write('POST /graphql HTTP/1.1\r\n')
  trickle(socket, 'x-more: y\r\n')
  await closed
  expect(received()).toMatch(/^HTTP\/1\.1 408 /)
})

test('a client that says nothing at all is cut off', async () => {
  const { closed } = await open()
  await closed
})

test('a body that never ends is cut off with 408, and takes no room from others meanwhile', async () => {
  const slow = await Promise.all(Array.from({ length: 8 }, open))
  for (const { socket } of slow) {
    socket.write(head(100_000))
    trickle(socket, ' ')
  }
  const answer = await fetch(`${server.url}/graphql?query={viewer{id}}`)
  expect(await answer.json()).toEqual({ data: { viewer: null } })
  for (const { closed, received } of slow) {
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 408 /)
  }
})

test('headers larger than 16 KiB are refused with 431', async () => {
  const { socket, closed, received } = await open()
  socket.write(`GET /health HTTP/1.1\r\nhost: x\r\nx-much: ${'y'.repeat(17_000)}\r\n\r\n`)
  await closed
  expect(received()).toMatch(/^HTTP\/1\.1 431 /)
})

test('a connection between requests is kept, and closed when nothing follows', async () => {
  const { socket, closed, received } = await open()
  for (let index = 1; index <= 3; index++) {
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    await expect.poll(() => received().match(/HTTP\/1\.1 200/g)?.length).toBe(index)
  }
  await closed
})

test('connections beyond the most are dropped, and accepted again when others have gone', async () => {
  const many = await Promise.all(Array.from({ length: 20 }, open))
  const { closed } = await open()
  await closed
  for (const { socket } of many) socket.destroy()
  await expect
    .poll(() =>
      fetch(`${server.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    .toBe(true)
})

test('half of a request and then silence, or an end, leaves nothing behind', async () => {
  const { socket, closed } = await open()
  socket.write(`${head(50)}{"query":`)
  await closed
  const other = await open()
  other.socket.write(`${head(50)}{"query":`)
  other.socket.destroy()
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})
