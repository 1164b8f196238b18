import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import type { Database } from '../../support/database.ts'
import { recordLog, statementOf } from '../../support/sql-log.ts'

export interface Watched {
  /** What PostgreSQL counts of writes, and of what is spilled to disk. */
  readonly counted: readonly [before: unknown, after: unknown]
  /** Where every row of every table and catalog is, and which transaction wrote it: a digest for each. */
  readonly rows: readonly [before: unknown, after: unknown]
  /** Statements that are not of reading, and what was refused because it would have written or locked. */
  readonly tried: readonly string[]
}

/** Looks at one database, which nobody else uses. */
export class Watch {
  readonly #database: Database
  readonly #client: pg.Client

  private constructor(database: Database, client: pg.Client) {
    this.#database = database
    this.#client = client
  }

  static async begin(database: Database): Promise<Watch> {
    const client = new pg.Client({ connectionString: database.url, application_name: 'watch' })
    await client.connect()
    return new Watch(database, client)
  }

  /** Prepares what is watched afterwards. */
  async sql(text: string): Promise<pg.QueryResultRow[]> {
    return (await this.#client.query(text)).rows
  }

  /**
   * While the work goes on, every table and every catalog is locked so that others can read and nothing more: whoever
   * asks for a stronger lock than reading takes does not get it, and is found in the log.
   */
  async during(work: () => Promise<unknown>): Promise<Watched> {
    await this.sql(`alter database ${this.#database.name} set lock_timeout = '500ms'`)
    await this.sql('select pg_stat_force_next_flush()')
    await this.sql('begin')
    await this.sql(LOCK)
    const [counted, rows] = [await this.#count(), await this.#digest()]
    const log = await recordLog(this.#database.name, work)
    await this.#alone()
    const watched: Watched = {
      counted: [counted, await this.#count()],
      rows: [rows, await this.#digest()],
      tried: log.filter(isMoreThanReading),
    }
    await this.sql('rollback')
    return watched
  }

  end(): Promise<void> {
    return this.#client.end()
  }

  /** A session tells what it has counted before it is gone. */
  async #alone(): Promise<void> {
    const others = `select from pg_stat_activity where datname = current_database()
      and backend_type = 'client backend' and pid <> pg_backend_pid()`
    for (;;) {
      await this.sql('select pg_stat_clear_snapshot()')
      if ((await this.sql(others)).length === 0) return
      await setTimeout(5)
    }
  }

  async #count(): Promise<unknown> {
    await this.sql('select pg_stat_clear_snapshot()')
    return this.sql(`select tup_inserted, tup_updated, tup_deleted, temp_files, deadlocks
      from pg_stat_database where datname = current_database()`)
  }

  async #digest(): Promise<Readonly<Record<string, unknown>>> {
    const tables = await this.sql(TABLES)
    const digests = tables.map(
      ({ name }) =>
        `select '${name}' as name, md5(string_agg(concat(ctid, xmin), ',')) as rows from ${name}`,
    )
    const found = await this.sql(digests.join(' union all '))
    return Object.fromEntries(found.map(({ name, rows }) => [name, rows]))
  }
}

/** Catalogs that all databases share are written to by whoever tests another. */
const TABLES = `select oid::regclass as name from pg_class where relkind = 'r' and not relisshared
  and relnamespace <> 'information_schema'::regnamespace`

const LOCK = `do $$ declare it record; begin
  for it in ${TABLES} loop
    execute format('lock table %s in exclusive mode', it.name);
  end loop;
end $$`

const READING = /^(select|with|show|begin|start transaction|commit|rollback|set|listen|unlisten)\b/i
const WRITING =
  /\b(insert|update|delete|merge|create|alter|drop|truncate|lock|grant|revoke|into|copy|nextval|setval|vacuum|analyze|reindex|refresh|cluster)\b|\bfor (update|share|no key|key)\b/i

function isMoreThanReading(entry: string): boolean {
  if (/ERROR: {2}.*(read-only transaction|lock timeout|permission denied)/.test(entry)) return true
  const [, told = ''] = /^[^|]*\|LOG: {2}([\s\S]*)$/.exec(entry) ?? []
  const statement = statementOf(told)?.trim()
  if (statement === undefined) return false
  const words = statement.replaceAll(/'(?:[^']|'')*'|"[^"]*"|--.*$/gm, '')
  return !READING.test(words) || WRITING.test(words)
}
