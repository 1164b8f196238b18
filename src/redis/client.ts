import { Cluster, Redis } from 'ioredis'
import { parseRedisUrl, type RedisAddress } from './address.ts'
import { clusterOptions, type RedisAccess, serverOptions } from './options.ts'
import { Switches } from './switches.ts'

export interface RedisClientOptions extends RedisAccess {
  /** Told once when the connection is lost or cannot be made, and not again before it was ready. */
  readonly onTrouble: (error: Error) => void
  /** Told when it is ready after trouble was told of. */
  readonly onBack?: () => void
}

/** @throws Error when the URL is none that `parseRedisUrl` takes. */
export function createRedis(url: string, options: RedisClientOptions): RedisClient {
  return new RedisClient(parseRedisUrl(url), options)
}

type Listener = (...args: string[]) => void
/** The last is told of a Cluster, when another of its nodes is listened to. */
type Event = 'message' | 'ready' | 'close' | '+subscriber'

/**
 * One server, the one that sentinels name, or a Redis Cluster, to which the address of one node is enough. Connects on
 * the first command, which fails, as every command does while there is no connection: nothing is queued.
 */
export class RedisClient {
  readonly #address: RedisAddress
  readonly #options: RedisClientOptions
  readonly #listeners: (readonly [Event, Listener])[] = []
  #commands: Redis | Cluster
  /** Until it is known whether a server is a node of a Cluster and, if so, the Cluster is connected to. */
  #recognition: Promise<void> | undefined
  #switches: Switches | undefined
  #inTrouble = false
  #closed = false

  constructor(address: RedisAddress, options: RedisClientOptions) {
    this.#address = address
    this.#options = options
    this.#commands =
      address.nodes.length > 1 && address.master === undefined
        ? this.#createCluster()
        : this.#createServer()
  }

  /** To be asked for each time: another takes its place when a server turns out to be a node of a Cluster. */
  get commands(): Redis | Cluster {
    return this.#commands
  }

  on(event: Event, listener: Listener): void {
    this.#listeners.push([event, listener])
    this.#commands.on(event, listener)
  }

  async connect(): Promise<void> {
    await this.#commands.connect()
    await this.#recognition
  }

  /** Waits for what was asked before. */
  async quit(): Promise<void> {
    this.#end()
    await this.#commands.quit()
  }

  disconnect(): void {
    this.#end()
    this.#commands.disconnect()
  }

  #end(): void {
    this.#closed = true
    this.#switches?.close()
  }

  #createServer(): Redis {
    const options = serverOptions(this.#address, this.#options)
    const redis = new Redis({
      ...options,
      reconnectOnError: (error) => {
        if (error.message.startsWith('MOVED')) this.#recognition = this.#turnToCluster()
        return options.reconnectOnError(error)
      },
    })
    this.#watch(redis)
    redis.on('ready', () => {
      if (this.#address.master === undefined) this.#recognition = this.#recognize(redis)
      else if (!this.#closed) this.#switches ??= this.#watchSwitches(redis)
    })
    return redis
  }

  #createCluster(): Cluster {
    const cluster = new Cluster(
      [...this.#address.nodes],
      clusterOptions(this.#address, this.#options),
    )
    this.#watch(cluster)
    cluster.on('+node', quietenAsking)
    return cluster
  }

  #watchSwitches(redis: Redis): Switches {
    return new Switches(this.#address, this.#options, () => {
      // Otherwise it is about to ask the sentinels, or has done so.
      if (redis.status === 'ready') redis.disconnect(true)
    })
  }

  async #recognize(redis: Redis): Promise<void> {
    const slots = await redis.cluster('SLOTS').catch(() => [])
    // Where there is no address to go to, the server itself says more of what is wrong.
    if (slots.some(([, , node]) => node?.[0])) await this.#turnToCluster()
  }

  async #turnToCluster(): Promise<void> {
    if (this.#closed || this.#commands instanceof Cluster) return
    this.#commands.disconnect()
    this.#commands = this.#createCluster()
    for (const [event, listener] of this.#listeners) this.#commands.on(event, listener)
    // Whether it is there, it tells itself, and tries again.
    await this.#commands.connect().catch(() => {})
  }

  #watch(client: Redis | Cluster): void {
    let sentinelError: Error | undefined
    client.on('sentinelError', (error: Error) => {
      sentinelError = error
    })
    client.on('error', (error: Error) => {
      // It ends each round of sentinels, also one that began at the last of them.
      const cause = error.message.startsWith('All sentinels are') ? sentinelError : error
      if (cause === undefined || client !== this.#commands || this.#closed) return
      this.#tell(cause)
      // The client would go on in database 0, among the keys of somebody else.
      if (isRefusedSelect(error) && client.status === 'connect') client.disconnect(true)
    })
    client.on('ready', () => {
      sentinelError = undefined
      const usable = !(client instanceof Cluster) || client.nodes().length > 0
      if (!usable) this.#tell(new Error('CLUSTERDOWN'))
      else if (this.#inTrouble) this.#options.onBack?.()
      this.#inTrouble &&= !usable
      // Without slots, commands that are to travel together would wait for them.
      client.options.enableAutoPipelining = usable
    })
  }

  #tell(error: Error): void {
    if (!this.#inTrouble) this.#options.onTrouble(error)
    this.#inTrouble = true
  }
}

function isRefusedSelect(error: Error & { readonly command?: { readonly name: string } }): boolean {
  return error.command?.name === 'select'
}

/** Nobody hears of an ASKING that fails, which would end the process; the command that it was for fails too. */
function quietenAsking(node: Redis): void {
  const ask = node.asking.bind(node)
  node.asking = async () => ask().catch(() => 'OK')
}
