import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg'
import type pg from 'pg'
import { openPool } from '../postgres/session-options.ts'
import { describeUnreachable } from '../postgres/unreachable.ts'

/** Without a generator the engine writes the syntax of preview features (partial indexes), which is refused when read. */
const EMPTY_SCHEMA = `generator client {
  provider        = "prisma-client"
  previewFeatures = ["views"]
}

datasource db {
  provider = "postgresql"
}
`

/**
 * What `prisma db pull` would write for one PostgreSQL schema, without the native engine it has to download.
 * Tables and columns that the connecting role may not SELECT are left out or commented out. A PostgreSQL schema that is
 * empty or does not exist has no models.
 * @throws Error in one sentence when the database cannot be reached.
 */
export async function pullSchema(databaseUrl: string, databaseSchema: string): Promise<string> {
  loading ??= load()
  await loading
  const pool = await openCatalogPool(databaseUrl)
  try {
    if (!(await hasSchema(pool, databaseSchema))) return EMPTY_SCHEMA
    const adapter = new PrismaPg(pool, { schema: databaseSchema })
    const engine = await glue.SchemaEngine.new(
      { datamodels: [['schema.prisma', EMPTY_SCHEMA]] },
      () => {},
      bindMigrationAwareSqlAdapterFactory(adapter),
    )
    try {
      const { schema } = await engine.introspect({
        schema: { files: [{ path: 'schema.prisma', content: EMPTY_SCHEMA }] },
        baseDirectoryPath: '.',
        force: false,
        compositeTypeDepth: -1,
        namespaces: [databaseSchema],
      })
      return withoutKeys(schema.files.map((file) => file.content).join('\n'))
    } finally {
      engine.free()
    }
  } catch (error) {
    if (isEmpty(error)) return EMPTY_SCHEMA
    throw error
  } finally {
    await pool.end()
  }
}

/** Prisma's client ignores a table without a primary key, but not a view, which never has one, nor an index. */
function withoutKeys(schema: string): string {
  return schema.replaceAll(
    /^model (\w+ \{[^}]*?)\n\n? {2}@@ignore$/gm,
    (_, rest: string) => `view ${rest.replaceAll(INDEX, '')}`,
  )
}

/** A line of its own, or an attribute with what is in its brackets, which may be an expression in quotes. */
const INDEX = / {2}@@(?:index|unique)\(.*| @unique\((?:"(?:[^"\\]|\\.)*"|[^")])*\)+/g

/** The engine would try to create a PostgreSQL schema that does not exist. */
async function hasSchema(pool: pg.Pool, schema: string): Promise<boolean> {
  const asked = 'SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1'
  return (await pool.query(asked, [schema])).rowCount === 1
}

function isEmpty(error: unknown): boolean {
  return error instanceof Error && /database was empty/.test(error.message)
}

/** Neither the language's library nor Node 20's types declare it. */
declare const WebAssembly: {
  instantiate(
    code: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
}

let loading: Promise<void> | undefined

/** The package's own entry imports its .wasm file as a module, which Node 20 cannot. */
async function load(): Promise<void> {
  const file = new URL(
    'schema_engine_bg.wasm',
    import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'),
  )
  const { instance } = await WebAssembly.instantiate(await readFile(fileURLToPath(file)), {
    './schema_engine_bg.js': glue,
  })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
}

const CONNECT_TIMEOUT_MS = 5000

const CHAR = 18
const TEXT = 25

/**
 * Gets round what the engine cannot take. The adapter does not know the catalog type "char": it is relabelled as text.
 * Reading such text as the kind of a constraint, the engine panics: those rows (checks and exclusions, from PostgreSQL 18
 * on every NOT NULL) say nothing that matters here. Nor do foreign keys into other PostgreSQL schemas, which it refuses.
 * All of it is one transaction that only reads, whatever the URL says and whatever a pooler makes of settings, because
 * nothing of the engine's may ever be written.
 * @throws Error in one sentence when the database cannot be reached.
 */
export async function openCatalogPool(url: string): Promise<pg.Pool> {
  const pool = openPool(url, [], {
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  try {
    await pool.query('BEGIN TRANSACTION READ ONLY')
  } catch (error) {
    await pool.end()
    throw new Error(describeUnreachable(error, url), { cause: error })
  }
  const query: unknown = pool.query
  return Object.assign(pool, {
    async query(...args: unknown[]): Promise<pg.QueryArrayResult> {
      const result: pg.QueryArrayResult = await Reflect.apply(query as () => void, pool, args)
      result.rows = dropUnreadable(result)
      for (const field of result.fields) if (field.dataTypeID === CHAR) field.dataTypeID = TEXT
      return result
    },
  })
}

function dropUnreadable({ fields, rows }: pg.QueryArrayResult): unknown[][] {
  const indexOf = (name: string) => fields.findIndex((field) => field.name === name)
  if (indexOf('constraint_type') !== -1) return []
  const target = indexOf('referenced_schema_name')
  if (target === -1) return rows
  const own = indexOf('namespace')
  return rows.filter((row) => row[target] === row[own])
}
