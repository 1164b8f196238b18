import { fileURLToPath } from 'node:url'
import type { BetterAuthOptions } from 'better-auth'
import type pg from 'pg'
import { load } from '../../../adapters/load.ts'
import { createFolder, generateSchema, type OpenAdapter, replace } from './adapter.ts'

/** Drizzle over node-postgres: plural names, roles and states as enumerations, tables by what drizzle-kit migrates. */
export const openDrizzle: OpenAdapter = async (options, pool) => {
  const { drizzle } = (await load('drizzle-orm/node-postgres')) as unknown as Drizzle
  const { drizzleAdapter } = (await load('better-auth/adapters/drizzle')) as unknown as Adapters
  const kit = (await load('drizzle-kit/api')) as unknown as Kit
  const settings = { provider: 'pg', usePlural: true }
  const text = await generateSchema(
    'generateDrizzleSchema',
    options,
    drizzleAdapter(drizzle(pool), settings),
  )
  const folder = await createFolder(
    fileURLToPath(new URL('../../../adapters/node_modules', import.meta.url)),
  )
  const schema = await import(await folder.write('schema.ts', withEnumerations(text)))
  const statements = await kit.generateMigration(
    kit.generateDrizzleJson({}),
    kit.generateDrizzleJson(schema),
  )
  for (const statement of statements) await pool.query(statement)
  const db = drizzle(pool, { schema })
  return {
    database: drizzleAdapter(db, { ...settings, schema }),
    close: folder.remove,
  }
}

interface Drizzle {
  drizzle(pool: pg.Pool, config?: object): object
}

interface Adapters {
  drizzleAdapter(db: object, config: object): NonNullable<BetterAuthOptions['database']>
}

interface Kit {
  generateDrizzleJson(schema: object): object
  generateMigration(from: object, to: object): Promise<readonly string[]>
}

function withEnumerations(schema: string): string {
  return replace(schema, [
    ['role: text("role"),', 'role: userRole("role"),'],
    [
      'role: text("role").default("member").notNull(),',
      'role: memberRole("role").default("member").notNull(),',
    ],
    [
      'status: text("status").default("pending").notNull(),',
      'status: invitationStatus("status").default("pending").notNull(),',
    ],
    [
      'export const users =',
      `import { pgEnum } from "drizzle-orm/pg-core";
export const userRole = pgEnum("user_role", ["user", "admin"]);
export const memberRole = pgEnum("member_role", ["owner", "admin,approver", "member", "member,clerk", "auditor"]);
export const invitationStatus = pgEnum("invitation_status", ["pending", "accepted", "rejected", "canceled"]);
export const users =`,
    ],
  ])
}
