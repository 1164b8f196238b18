import { randomUUID } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { inject } from 'vitest'
import { asSuperuser } from './database.ts'

/**
 * The SQL that an application ran on a database during some work, in PostgreSQL's own words and order, with BEGIN,
 * SET and COMMIT. Exact: the server logs a statement before it answers it, and the log is read up to a marker that
 * is sent after the work. A statement that PostgreSQL cannot parse is not in it.
 */
export async function recordStatements(
  database: string,
  work: () => Promise<unknown>,
  application = 'identity-gateway',
): Promise<string[]> {
  const prefix = `${application}|LOG:  `
  return (await recordLog(database, work))
    .filter((entry) => entry.startsWith(prefix))
    .flatMap((entry) => statementOf(entry.slice(prefix.length)) ?? [])
}

/** All that PostgreSQL logged of a database during some work, each entry from the name of the application on. */
export async function recordLog(database: string, work: () => Promise<unknown>): Promise<string[]> {
  const file = inject('statementLog')
  const { size: offset } = await stat(file)
  const first = await mark()
  await work()
  const last = await mark()
  const log = await readUntil(file, offset, last)
  const prefix = `|${database}|`
  return log
    .slice(log.indexOf(first))
    .split(/\n(?!\t)/)
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => entry.slice(prefix.length))
}

async function mark(): Promise<string> {
  const marker = randomUUID()
  await asSuperuser(`select '${marker}'`)
  return marker
}

async function readUntil(file: string, offset: number, marker: string): Promise<string> {
  for (;;) {
    const text = await readFrom(file, offset)
    const end = text.indexOf(marker)
    if (end !== -1) return text.slice(0, end)
    await setTimeout(5)
  }
}

async function readFrom(file: string, offset: number): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const { buffer } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset)
    return buffer.toString('utf8')
  } finally {
    await handle.close()
  }
}

/**
 * A simple query is logged as `statement: …`, one with parameters as `execute <name>: …`, and lines after the first are
 * indented by a tab.
 */
export function statementOf(entry: string): string | undefined {
  return /^(?:statement|execute [^:]*): ([\s\S]*)$/.exec(entry)?.[1]?.replaceAll('\n\t', '\n')
}
