import type { Config } from '../config/config.ts'
import type { Layout } from '../layout/layout.ts'
import type { Database } from '../postgres/client.ts'
import type { Tables } from '../postgres/tables.ts'

export interface Finding {
  /** The concept that was looked at, such as `grants`. */
  readonly check: string
  /** `error`: it breaks or endangers what the gateway promises. `warning`: it could be better. `info`: what is there. */
  readonly level: 'error' | 'warning' | 'info'
  /** Whole sentences. */
  readonly message: string
  /** What mends it, for the owner of the database to read and run. */
  readonly sql?: string
}

/** What a check is given to look at. */
export interface Examined {
  readonly config: Config
  readonly layout: Layout
  readonly tables: Tables
  /** Connected as the gateway is: read-only, with its role and its settings. */
  readonly database: Database
  /** The role that the gateway connects as. */
  readonly role: string
}

/** Looks at one concept and changes nothing. */
export type Check = (examined: Examined) => Promise<readonly Omit<Finding, 'check'>[]>
