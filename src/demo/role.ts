import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { changeTriggerStatements } from '../layout/change-trigger-sql.ts'
import type { Layout } from '../layout/layout.ts'
import {
  functionStatements,
  sessionFunction,
  sessionIdFunction,
} from '../layout/owner-functions.ts'
import { grantStatements } from '../layout/owner-sql.ts'
import { publicStatements } from '../layout/public-sql.ts'
import { triggerStatements } from '../layout/trigger-sql.ts'

/** Makes a role of its own for the gateway, with a random name and password, in a database that is for nothing else. Answers the URL to connect as it. */
export async function createReadOnlyRole(ownerUrl: string, layout: Layout): Promise<string> {
  const role = `gateway_${randomBytes(6).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  const grantee = { role, schema: 'public' }
  await runAll(ownerUrl, [
    `create role ${role} login password '${password}'`,
    ...grantStatements(layout, grantee),
    ...functionStatements(sessionFunction(layout, grantee), role),
    ...functionStatements(sessionIdFunction(layout, grantee), role),
    ...publicStatements(),
  ])
  const url = new URL(ownerUrl)
  url.username = role
  url.password = password
  return url.href
}

/** Has the database tell the gateway of changes. */
export async function createTriggers(ownerUrl: string, layout: Layout): Promise<void> {
  const statements = [triggerStatements, changeTriggerStatements]
  await runAll(
    ownerUrl,
    statements.flatMap((of) => of(layout, 'public')),
  )
}

/** As one text they are one transaction. */
async function runAll(ownerUrl: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client(ownerUrl)
  await client.connect()
  try {
    await client.query(statements.join(';\n'))
  } finally {
    await client.end()
  }
}
