import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { toNodeHandler } from 'better-auth/node'
import { organization } from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'
import pg from 'pg'
import { betterAuthOptions } from '../../../src/demo/better-auth-options.ts'
import { close, listen } from '../../../src/demo/ports.ts'
import type { RoleSet } from './role-sets.ts'

export interface Question {
  /** A signed session token of the user. */
  readonly session: string
  readonly organizationId: string
  readonly resource: string
  readonly action: string
}

export type Verdict = boolean | 'not a member' | 'failed'

export interface BetterAuths {
  /** What `POST /organization/has-permission` of the Better Auth with these roles answers. */
  hasPermission(roleSet: RoleSet, question: Question): Promise<Verdict>
  /** The same of a Better Auth that reads more than a hundred roles of an organization. */
  hasPermissionByEveryRow(roleSet: RoleSet, question: Question): Promise<Verdict>
  stop(): Promise<void>
}

/** One real Better Auth for each set of roles, over the same database and with the same sessions. */
export async function startBetterAuths(options: {
  readonly databaseUrl: string
  readonly secret: string
  readonly roleSets: readonly RoleSet[]
}): Promise<BetterAuths> {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: 10,
    application_name: 'better-auth',
  })
  pool.on('error', () => {})
  const handlers = new Map<string, ReturnType<typeof toNodeHandler>>()
  const server = createServer((request, response) => {
    const [, path = ''] = request.url?.split('/') ?? []
    const failed = () => response.writeHead(500).end()
    handlers.get(path)?.(request, response).catch(failed) ?? failed()
  })
  const port = await listen(server, 0, '127.0.0.1')
  const settings = { ...options, pool, origin: `http://127.0.0.1:${port}` }
  for (const [index, roleSet] of options.roleSets.entries())
    for (const [limit, path] of [
      [100, `${index}`],
      [10_000, `${index}-unlimited`],
    ] as const) {
      const auth = createAuth({ ...settings, roleSet, limit, basePath: `/${path}` })
      handlers.set(path, toNodeHandler(auth))
    }
  const ask = async (path: string, question: Question): Promise<Verdict> => {
    const response = await fetch(`${settings.origin}/${path}/organization/has-permission`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${question.session}`,
      },
      body: JSON.stringify({
        organizationId: question.organizationId,
        permissions: Object.fromEntries([[question.resource, [question.action]]]),
      }),
    })
    const text = await response.text()
    if (response.status === 500) return 'failed'
    if (response.status === 401 && text.includes('NOT_A_MEMBER')) return 'not a member'
    if (response.status !== 200) throw new Error(`Better Auth: ${response.status} ${text}`)
    return (JSON.parse(text) as { success: boolean }).success
  }
  return {
    hasPermission: (roleSet, question) => ask(`${options.roleSets.indexOf(roleSet)}`, question),
    hasPermissionByEveryRow: (roleSet, question) =>
      ask(`${options.roleSets.indexOf(roleSet)}-unlimited`, question),
    async stop() {
      server.closeAllConnections()
      await close(server)
      await pool.end()
    },
  }
}

interface AuthSettings {
  readonly origin: string
  readonly basePath: string
  readonly pool: pg.Pool
  readonly secret: string
  readonly roleSet: RoleSet
  /** How many rows one look-up reads. */
  readonly limit: number
}

/** The demo's Better Auth with other roles. */
function createAuth({ origin, basePath, pool, secret, roleSet, limit }: AuthSettings) {
  const demo = betterAuthOptions({
    origin,
    pool,
    secret,
    tokenLifetime: '15m',
    algorithm: 'EdDSA',
  })
  const [{ options }, ...otherPlugins] = demo.plugins
  const { ac: _ac, roles: _roles, dynamicAccessControl: _dynamic, ...layout } = options
  const { accessControl, dynamic, roles } = roleSet
  const ac = createAccessControl({ leave: ['approve'] })
  return betterAuth({
    ...demo,
    basePath,
    logger: { disabled: true },
    // Else each failure is written to the console, whatever the logger.
    onAPIError: { throw: true },
    advanced: { database: { defaultFindManyLimit: limit } },
    plugins: [
      organization({
        ...layout,
        ...(accessControl && { ac }),
        ...(roles && { roles: rolesOf(roles) }),
        dynamicAccessControl: { enabled: dynamic },
      }),
      ...otherPlugins,
    ],
  })
}

function rolesOf(roles: NonNullable<RoleSet['roles']>) {
  return Object.fromEntries(
    Object.entries(roles).map(([name, statements]) => [
      name,
      createAccessControl({}).newRole(
        Object.fromEntries(Object.entries(statements).map(([key, list]) => [key, [...list]])),
      ),
    ]),
  )
}
