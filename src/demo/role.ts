import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Layout } from '../repositories/layout.ts'

/** SQL that lets a role read the columns the gateway reads, and nothing else: no secrets, no writing. */
export function grantStatements(layout: Layout, roleName: string, schema: string): string[] {
  const role = pg.escapeIdentifier(roleName)
  const namespace = pg.escapeIdentifier(schema)
  const tables = Object.values(layout).filter((table) => table !== null)
  return [
    `alter role ${role} set default_transaction_read_only = on`,
    `grant usage on schema ${namespace} to ${role}`,
    ...tables.map((table) => {
      const columns = Object.values(table.columns).map(({ name }) => pg.escapeIdentifier(name))
      return `grant select (${columns.join(', ')}) on ${namespace}.${pg.escapeIdentifier(table.name)} to ${role}`
    }),
  ]
}

/** Makes a role of its own for the gateway, with a random name and password. Answers the URL to connect as it. */
export async function createReadOnlyRole(ownerUrl: string, layout: Layout): Promise<string> {
  const name = `gateway_${randomBytes(6).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  const client = new pg.Client(ownerUrl)
  await client.connect()
  try {
    await client.query(`create role ${name} login password '${password}'`)
    for (const statement of grantStatements(layout, name, 'public')) await client.query(statement)
  } finally {
    await client.end()
  }
  const url = new URL(ownerUrl)
  url.username = name
  url.password = password
  return url.href
}
