import { createConnection, createServer, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { close, listen } from '../../../src/demo/ports.ts'

export interface RedisTurns {
  /** Of the way to the same Redis on which round trips are counted. */
  readonly url: string
  /** What was sent in each round trip: in one go, before any reply to it came. */
  readonly turns: string[]
  stop(): Promise<void>
}

/** Long enough for a client to send all it has before it reads the first reply. */
const REPLY_DELAY_MS = 50

export async function countRedisTurns(redisUrl: string): Promise<RedisTurns> {
  const { hostname, port: redisPort, pathname } = new URL(redisUrl)
  const turns: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const redis = createConnection(Number(redisPort) || 6379, hostname)
    let replied = true
    client.on('data', (sent) => {
      if (replied) turns.push('')
      replied = false
      turns.push(`${turns.pop()}${sent}`)
      redis.write(sent)
    })
    redis.on('data', async (reply) => {
      await setTimeout(REPLY_DELAY_MS)
      replied = true
      client.write(reply)
    })
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
    }
  })
  const port = await listen(server, 0, '127.0.0.1')
  return {
    url: `redis://127.0.0.1:${port}${pathname}`,
    turns,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await close(server)
    },
  }
}
