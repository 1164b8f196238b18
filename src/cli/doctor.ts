import { loadNames } from '../config/config.ts'
import { readLayout } from '../config/layout.ts'
import { command, WrongUsage } from './command.ts'

export const doctor = command({
  synopsis: 'doctor',
  usage: `Look at everything that serve would use, as serve would, and change nothing; end with 1 when something
breaks or endangers what the gateway promises.
  --json   print one JSON document
  --sql    print no more than the SQL with which the owner of the database lets the gateway's role
           read what it reads, and the triggers that tell gateways of changes
  --role   with --sql: the name of that role (identity_gateway)`,
  options: { json: { type: 'boolean' }, sql: { type: 'boolean' }, role: { type: 'string' } },
  run: async ({ json, sql, role }) => {
    if (role !== undefined && !sql) throw new WrongUsage('--role is of use with --sql alone.')
    if (sql && json) throw new WrongUsage('--json and --sql exclude each other.')
    if (sql) return printSql(role)
    const { examine } = await import('../doctor/doctor.ts')
    const { toJson, toText } = await import('../doctor/print.ts')
    const report = await examine(process.env)
    process.stdout.write(json ? toJson(report) : toText(report))
    process.exitCode = report.healthy ? 0 : 1
  },
})

async function printSql(role = 'identity_gateway'): Promise<void> {
  const { printOwnerSql } = await import('../print.ts')
  const names = loadNames(process.env)
  process.stdout.write(printOwnerSql(readLayout(names), { ...names, role }))
}
