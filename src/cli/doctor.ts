import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { loadNames } from '../config/config.ts'
import { readLayout } from '../config/layout.ts'
import { command, WrongUsage } from './command.ts'

export const doctor = command({
  synopsis: 'doctor',
  usage: `Look at everything that serve would use, as serve would, and change nothing; end with 1 when something
breaks or endangers what the gateway promises.
  --json   print one JSON document
  --token  look at nothing but a token in this file (- for standard input): whether it would be
           accepted, and as whom, or what is wrong with it
  --sql    print no more than the SQL with which the owner of the database lets the gateway's role
           read what it reads, the functions that look sessions, opaque access tokens and API keys
           up, and the triggers that tell gateways of changes
  --role   with --sql: the name of that role (identity_gateway)
  --without-sessions, --without-opaque-tokens, --without-api-keys, --without-triggers
           with --sql: leave out what AUTH_SESSIONS=on, OAUTH_OPAQUE_TOKENS=on, AUTH_API_KEYS=on
           and PERMISSION_EVENTS=postgres alone need
  --revoke-public
           with --sql: take from everybody (PUBLIC), and so from other roles too, temporary tables,
           large objects, and CREATE on the database and its schemas`,
  options: {
    json: { type: 'boolean' },
    token: { type: 'string' },
    sql: { type: 'boolean' },
    role: { type: 'string' },
    'without-sessions': { type: 'boolean' },
    'without-opaque-tokens': { type: 'boolean' },
    'without-api-keys': { type: 'boolean' },
    'without-triggers': { type: 'boolean' },
    'revoke-public': { type: 'boolean' },
  },
  run: async ({ json, token, sql, role, ...flags }) => {
    const [alone] = Object.keys({ ...(role === undefined ? {} : { role }), ...flags })
    if (alone !== undefined && !sql) throw new WrongUsage(`--${alone} is of use with --sql alone.`)
    if (sql && (json || token !== undefined))
      throw new WrongUsage(`--${json ? 'json' : 'token'} and --sql exclude each other.`)
    if (sql) return printSql(role, flags)
    const { toJson, toText } = await import('../doctor/print.ts')
    const report = await (token === undefined ? examineAll() : examineOne(token))
    process.stdout.write(json ? toJson(report) : toText(report))
    process.exitCode = report.healthy ? 0 : 1
  },
})

async function examineAll() {
  const { examine } = await import('../doctor/doctor.ts')
  return examine(process.env)
}

async function examineOne(file: string) {
  const { examineToken } = await import('../doctor/token.ts')
  return examineToken(process.env, await readToken(file))
}

/** The token as it is, or the header of a request. What was named is not repeated: it may be the token itself. */
async function readToken(file: string): Promise<string> {
  const reading = file === '-' ? text(process.stdin) : readFile(file, 'utf8')
  const content = await reading.catch(() => {
    throw new WrongUsage('--token names a file that cannot be read; - is standard input.')
  })
  return content.trim().replace(/^(authorization: *)?(bearer|dpop) +/i, '')
}

async function printSql(
  role = 'identity_gateway',
  flags: Readonly<Record<string, boolean | undefined>> = {},
): Promise<void> {
  const { printOwnerSql } = await import('../print.ts')
  const names = loadNames(process.env)
  const without = (['sessions', 'opaque-tokens', 'api-keys', 'triggers'] as const).filter(
    (part) => flags[`without-${part}`],
  )
  const revokePublic = flags['revoke-public']
  process.stdout.write(
    printOwnerSql(readLayout(names), { ...names, role }, without, { revokePublic }),
  )
}
