import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** How poolers answer a startup packet that has `options`, in the words of each. */
const REFUSALS = {
  PgBouncer: ['08P01', 'unsupported startup parameter: options'],
  "Neon's pooler": [
    '08P01',
    'unsupported startup parameter in options: default_transaction_read_only. Please use unpooled connection or remove this parameter from the startup package.',
  ],
  'RDS Proxy': [
    '0A000',
    "Feature not supported: RDS Proxy currently doesn't support command-line options.",
  ],
} as const

export type PoolerName = keyof typeof REFUSALS
export const poolers = Object.keys(REFUSALS) as readonly PoolerName[]
/** Drops `options` instead, and says nothing. */
const DROPPING = 'Supavisor'

export interface PoolerImitation {
  /** How many connections it refused. */
  refused(): number
  /** The same URL, but through the imitation. */
  through(url: string): string
  stop(): void
}

/**
 * No pooler, but an imitation of what one does to a connection that begins: it refuses `options` or drops them, and tells
 * of a process that it made up, as one whose connections share sessions. Behind it each connection has a session of its own, so what
 * it shows is whom the gateway trusts, not what sharing does; the long tests ask a real PgBouncer that.
 */
export async function startPoolerImitation(
  name: PoolerName | typeof DROPPING,
  { ownSessions = false } = {},
): Promise<PoolerImitation> {
  const sockets = new Set<Socket>()
  let refused = 0
  let upstream = { host: '127.0.0.1', port: 5432 }
  const server = createServer((client) => {
    keep(client)
    let begun: Buffer = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      begun = Buffer.concat([begun, chunk])
      if (begun.length < 8 || begun.length < begun.readInt32BE(0)) return
      client.off('data', onData)
      if (name === DROPPING) begun = withoutOptions(begun)
      else if (parametersOf(begun).has('options')) {
        refused++
        const [code, message] = REFUSALS[name]
        client.end(refusal(code, message))
        return
      }
      const database = connect(upstream.port, upstream.host, () => {
        database.write(begun)
        client.pipe(database)
        if (ownSessions) database.pipe(client)
        else pipeWithoutProcess(database, client)
      })
      keep(database)
      database.on('close', () => client.destroy())
      client.on('close', () => database.destroy())
    }
    client.on('data', onData)
  })
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    refused: () => refused,
    through: (url) => {
      const { hostname, port: at } = new URL(url)
      upstream = { host: hostname, port: Number(at) }
      return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href
    },
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function parametersOf(startup: Buffer): ReadonlyMap<string, string> {
  const words = startup.subarray(8, startup.readInt32BE(0)).toString().split('\0')
  const names = words.filter((_, index) => index % 2 === 0)
  return new Map(names.map((name, index) => [name, words[2 * index + 1] ?? '']))
}

function withoutOptions(startup: Buffer): Buffer {
  const length = startup.readInt32BE(0)
  const kept = [...parametersOf(startup)].filter(([name]) => name !== '' && name !== 'options')
  const words = `${kept.map((pair) => `${pair.join('\0')}\0`).join('')}\0`
  const packet = Buffer.concat([startup.subarray(0, 8), Buffer.from(words)])
  packet.writeInt32BE(packet.length, 0)
  return Buffer.concat([packet, startup.subarray(length)])
}

function refusal(code: string, message: string): Buffer {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`
  const answer = Buffer.from(`E\0\0\0\0${fields}`)
  answer.writeInt32BE(4 + Buffer.byteLength(fields), 1)
  return answer
}

const BACKEND_KEY_DATA = 'K'.charCodeAt(0)

/** Passes on what the database says, with another process where it tells of its own. */
function pipeWithoutProcess(database: Socket, client: Socket): void {
  let said = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    said = Buffer.concat([said, chunk])
    while (said.length >= 5 && said.length > said.readInt32BE(1)) {
      const end = 1 + said.readInt32BE(1)
      const message = Buffer.from(said.subarray(0, end))
      said = said.subarray(end)
      const told = message[0] === BACKEND_KEY_DATA
      if (told) message.writeInt32BE(message.readInt32BE(5) ^ 1, 5)
      client.write(message)
      if (!told) continue
      database.off('data', onData)
      client.write(said)
      database.pipe(client)
      return
    }
  }
  database.on('data', onData)
}
