import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../src/demo/postgres.ts'

test('two servers run side by side, and a stopped one leaves neither process nor files', async () => {
  const servers = await Promise.all([startPostgres(), startPostgres({ database: 'other' })])
  const traces = await Promise.all(servers.map(findTraces))
  expect(await Promise.all(servers.map(currentDatabase))).toEqual(['identity', 'other'])
  expect(traces.map(remains)).toEqual([true, true])
  await Promise.all(servers.map((server) => server.stop()))
  expect(traces.map(remains)).toEqual([false, false])
})

test('nobody gets in without the password, and only this machine can ask', async () => {
  const server = await startPostgres()
  const address = new URL(server.url)
  address.password = 'guess'
  await expect(new pg.Client(address.href).connect()).rejects.toMatchObject({ code: '28P01' })
  const client = new pg.Client(server.url)
  await client.connect()
  const { rows } = await client.query('show listen_addresses')
  expect(rows).toEqual([{ listen_addresses: '127.0.0.1' }])
  await client.end()
  await server.stop()
})

test('a server whose parent is killed ends by itself and removes its files', async () => {
  const parent = startInOtherProcess()
  const [line] = await once(createInterface({ input: parent.stdout }), 'line')
  const traces = await findTraces(JSON.parse(line))
  expect(remains(traces)).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => remains(traces), { timeout: 10_000 }).toBe(false)
})

interface Traces {
  readonly pid: number
  readonly directory: string
}

async function findTraces({ log }: Pick<Postgres, 'log'>): Promise<Traces> {
  const directory = dirname(log)
  const [pid] = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
  return { pid: Number(pid), directory }
}

function remains({ pid, directory }: Traces): boolean {
  return existsSync(directory) || isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function currentDatabase({ url }: Postgres): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query('select current_database() as name')
  await client.end()
  return rows[0].name
}

/** Prints where the server's log is, then waits to be killed. */
function startInOtherProcess(): ChildProcessByStdio<null, Readable, null> {
  const file = fileURLToPath(import.meta.resolve('../../src/demo/postgres.ts'))
  const program = `
    import { runnerImport } from 'vite'
    const { module } = await runnerImport(${JSON.stringify(file)})
    const { log } = await module.startPostgres()
    console.log(JSON.stringify({ log }))
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
