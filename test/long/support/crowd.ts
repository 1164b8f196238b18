import { readdirSync, readFileSync } from 'node:fs'
import { createReadOnlyRole } from '../../../src/demo/role.ts'
import { startServing } from '../../support/cli.ts'
import { createDatabase, type Database } from '../../support/database.ts'
import { layout } from '../../support/layout.ts'
import { createSigner, startJwksServer } from '../../support/tokens.ts'
import { fillLarge } from './large-world.ts'

/** A large world (large-world.ts), in which anybody can be given a token. */
export interface Crowd {
  readonly database: Database
  readonly environment: Readonly<Record<string, string>>
  tokenOf(userId: string): Promise<string>
  /** A gateway from a process of its own, as it is shipped, with default limits unless these variables say otherwise. */
  serve(environment?: Readonly<Record<string, string>>): Promise<Gateway>
  stop(): Promise<void>
}

export interface Gateway {
  readonly url: string
  /** What it and its sessions of PostgreSQL have taken of the CPU so far, in milliseconds. */
  cpu(): Promise<{ readonly gateway: number; readonly database: number }>
  /** Of its memory, in bytes. */
  resident(): number
  stop(): Promise<void>
}

export async function openCrowd(): Promise<Crowd> {
  const database = await createDatabase()
  await fillLarge(database)
  const signer = await createSigner()
  const jwks = await startJwksServer(signer.publicJwk)
  const issuer = 'https://auth.example.com'
  const url = await createReadOnlyRole(database.url, layout)
  const environment = {
    NODE_ENV: 'production',
    DATABASE_URL: url,
    AUTH_ISSUER: issuer,
    AUTH_JWKS: jwks.url,
  }
  return {
    database,
    environment,
    tokenOf: (sub) => {
      const now = Math.floor(Date.now() / 1000)
      return signer.sign({ iss: issuer, aud: issuer, sub, iat: now, exp: now + 36_000 })
    },
    serve: async (environment = {}) => {
      const serving = await startServing({
        NODE_ENV: 'production',
        DATABASE_URL: url,
        AUTH_ISSUER: issuer,
        AUTH_JWKS: jwks.url,
        ...environment,
      })
      return {
        url: serving.url,
        cpu: async () => ({
          gateway: cpuOf(serving.pid),
          database: await cpuOfSessions(database),
        }),
        resident: () =>
          1024 *
          Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serving.pid}/status`, 'utf8'))?.[1]),
        stop: async () => void (await serving.signal('SIGTERM')),
      }
    },
    stop: async () => {
      await jwks.stop()
      await database.drop()
    },
  }
}

/** Of the gateways of this database; a test has one at work at a time. */
async function cpuOfSessions(database: Database): Promise<number> {
  const sessions = await database.sql<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'identity-gateway' and datname = current_database()",
  )
  return sessions.reduce((sum, { pid }) => sum + cpuOf(pid), 0)
}

/** Of all its threads, as the scheduler counts it. */
function cpuOf(pid: number | undefined): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((task) =>
        Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
      )
      .reduce((sum, ns) => sum + ns / 1e6, 0)
  } catch {
    // It has ended.
    return 0
  }
}

export interface Told {
  readonly status: number
  readonly text: string
  readonly ms: number
}

/** Sends one request, a batch when it is a list. */
export async function ask(
  { url }: Pick<Gateway, 'url'>,
  token: string,
  body: unknown,
): Promise<Told> {
  const begun = performance.now()
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, text, ms: performance.now() - begun }
}

/** What a piece of work takes of the gateway and of PostgreSQL, in milliseconds of CPU. */
export async function cpuOfWork(gateway: Gateway, work: () => Promise<unknown>) {
  const before = await gateway.cpu()
  await work()
  const after = await gateway.cpu()
  return { gateway: after.gateway - before.gateway, database: after.database - before.database }
}
