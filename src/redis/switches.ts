import { Redis } from 'ioredis'
import type { RedisAddress } from './address.ts'
import { type RedisAccess, sentinelOptions } from './options.ts'

/**
 * Hears from each sentinel when another server became the primary: the old one may go on answering for a while, with
 * permissions that are old by then.
 */
export class Switches {
  readonly #sentinels: readonly Redis[]

  constructor(address: RedisAddress, access: RedisAccess, onSwitch: () => void) {
    this.#sentinels = address.nodes.map((node) => {
      const sentinel = new Redis({ ...node, ...sentinelOptions(address, access) })
      // That one is away is told where none answers.
      sentinel.on('error', () => {})
      sentinel.on('ready', () => {
        sentinel.subscribe('+switch-master').catch(() => {})
      })
      sentinel.on('message', (_channel: string, text: string) => {
        if (text.startsWith(`${address.master} `)) onSwitch()
      })
      return sentinel
    })
  }

  close(): void {
    for (const sentinel of this.#sentinels) sentinel.disconnect()
  }
}
