import { loadNames } from '../config/config.ts'
import { readLayout } from '../config/layout.ts'
import type { OptionalPart } from '../print.ts'
import { command, WrongUsage } from './command.ts'

export const doctor = command({
  synopsis: 'doctor',
  usage: `Look at everything that serve would use, as serve would, and change nothing; end with 1 when something
breaks or endangers what the gateway promises.
  --json   print one JSON document
  --sql    print no more than the SQL with which the owner of the database lets the gateway's role
           read what it reads, the function that looks sessions up, and the triggers that tell
           gateways of changes
  --role   with --sql: the name of that role (identity_gateway)
  --without-sessions, --without-triggers
           with --sql: leave out what AUTH_SESSIONS=on, and PERMISSION_EVENTS=postgres, alone need`,
  options: {
    json: { type: 'boolean' },
    sql: { type: 'boolean' },
    role: { type: 'string' },
    'without-sessions': { type: 'boolean' },
    'without-triggers': { type: 'boolean' },
  },
  run: async ({ json, sql, role, ...flags }) => {
    const [alone] = Object.keys({ ...(role === undefined ? {} : { role }), ...flags })
    if (alone !== undefined && !sql) throw new WrongUsage(`--${alone} is of use with --sql alone.`)
    if (sql && json) throw new WrongUsage('--json and --sql exclude each other.')
    if (sql) {
      const parts = ['sessions', 'triggers'] as const
      return printSql(
        role,
        parts.filter((part) => flags[`without-${part}`]),
      )
    }
    const { examine } = await import('../doctor/doctor.ts')
    const { toJson, toText } = await import('../doctor/print.ts')
    const report = await examine(process.env)
    process.stdout.write(json ? toJson(report) : toText(report))
    process.exitCode = report.healthy ? 0 : 1
  },
})

async function printSql(
  role = 'identity_gateway',
  without: readonly OptionalPart[] = [],
): Promise<void> {
  const { printOwnerSql } = await import('../print.ts')
  const names = loadNames(process.env)
  process.stdout.write(printOwnerSql(readLayout(names), { ...names, role }, without))
}
