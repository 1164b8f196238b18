import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type RedisProcess, startRedisProcess } from '../../support/redis-process.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly name: string
  /** Brings it about; answers how to repair it. */
  readonly cause: () => Promise<() => Promise<void>>
  /** How long it lasts. */
  readonly milliseconds: number
}

/** A Redis that comes back on the port it had. */
export interface RestartableRedis {
  current: RedisProcess
}

/** Of a world what there are faults of. */
export type Troubled = Pick<World, 'postgres' | 'services' | 'sql' | 'owner'>

export function faultsOf(world: Troubled, redis: RestartableRedis, url: string): readonly Fault[] {
  const { postgres, services } = world
  const startRedis = async () => {
    redis.current = await startRedisProcess({ port: redis.current.port })
  }
  return [
    {
      name: 'PostgreSQL restarted',
      milliseconds: 500,
      cause: async () => {
        await postgres.stop()
        return () => postgres.start()
      },
    },
    {
      name: 'PostgreSQL killed',
      milliseconds: 1500,
      cause: async () => {
        await postgres.kill()
        return () => postgres.start()
      },
    },
    {
      name: 'PostgreSQL hanging',
      milliseconds: 4000,
      cause: async () => {
        await postgres.hang()
        return () => postgres.resume()
      },
    },
    {
      name: 'PostgreSQL ending every connection',
      milliseconds: 500,
      cause: async () => {
        const end = () => world.sql(END_CONNECTIONS).catch(() => {})
        await end()
        await sleep(200)
        return async () => void (await end())
      },
    },
    {
      name: 'PostgreSQL out of connections',
      milliseconds: 2000,
      cause: async () => {
        const taken = await takeConnections(world)
        return async () => {
          await Promise.all(taken.map((client) => client.end().catch(() => {})))
        }
      },
    },
    {
      name: 'PostgreSQL failed over to read-only',
      milliseconds: 2000,
      cause: async () => {
        await postgres.stop()
        await postgres.start({ standby: true })
        return async () => {
          await world.sql('select pg_promote()')
        }
      },
    },
    {
      name: 'a table locked',
      milliseconds: 2500,
      cause: async () => {
        const client = new pg.Client(postgres.url)
        await client.connect()
        await client.query('begin; lock table users in access exclusive mode')
        return async () => {
          await client.query('rollback')
          await client.end()
        }
      },
    },
    {
      name: 'Redis restarted',
      milliseconds: 200,
      cause: async () => {
        await redis.current.kill()
        return startRedis
      },
    },
    {
      name: 'Redis gone',
      milliseconds: 3000,
      cause: async () => {
        await redis.current.kill()
        return startRedis
      },
    },
    {
      name: 'Redis hanging',
      milliseconds: 3000,
      cause: async () => {
        redis.current.hang()
        return async () => redis.current.resume()
      },
    },
    {
      name: 'the keys of services gone',
      milliseconds: 2000,
      cause: async () => {
        services.jwks.status = 500
        return async () => {
          services.jwks.status = 200
        }
      },
    },
    {
      name: 'clients slow, half-open and vanishing',
      milliseconds: 3000,
      cause: async () => {
        const sockets = await Promise.all(
          Array.from({ length: 150 }, (_, index) => misbehave(url, world.owner.token, index)),
        )
        return async () => {
          for (const socket of sockets) socket.destroy()
        }
      },
    },
    {
      name: 'more requests than there is room for',
      milliseconds: 0,
      cause: async () => {
        await flood(url, world.owner.token)
        return async () => {}
      },
    },
    {
      name: 'PostgreSQL and Redis gone at once',
      milliseconds: 1500,
      cause: async () => {
        await Promise.all([postgres.kill(), redis.current.kill()])
        return async () => {
          await startRedis()
          await postgres.start()
        }
      },
    },
  ]
}

const END_CONNECTIONS =
  "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'identity-gateway'"

async function takeConnections(world: Troubled): Promise<pg.Client[]> {
  const taken: pg.Client[] = []
  for (;;) {
    const client = new pg.Client(world.postgres.url)
    client.on('error', () => {})
    try {
      await client.connect()
    } catch {
      break
    }
    taken.push(client)
  }
  // What the gateway has open goes on; so it is made to ask for new ones.
  await taken[0]?.query(END_CONNECTIONS)
  for (let index = 0; index < 10; index++) {
    const client = new pg.Client(world.postgres.url)
    client.on('error', () => {})
    await client.connect().then(
      () => taken.push(client),
      () => {},
    )
  }
  return taken
}

/** In turn: headers without end, half a body, a request whose client leaves before the answer. */
async function misbehave(url: string, token: string, index: number): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  const body = JSON.stringify({ query: '{ viewer { name organizations { nodes { name } } } }' })
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n`
  if (index % 3 === 0) socket.write(head)
  else if (index % 3 === 1) socket.write(`${head}content-length: 1000\r\n\r\n{"query":`)
  else {
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`)
    setTimeout(() => socket.destroy(), Math.random() * 20)
  }
  return socket
}

/** Twice as many at once as there is room for; what they are answered is not read, only that they are. */
async function flood(url: string, token: string): Promise<void> {
  const body = JSON.stringify({ query: '{ viewer { name organizations { nodes { name } } } }' })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  await Promise.all(
    Array.from({ length: 400 }, async () => {
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body })
      await response.text()
    }),
  )
}
