import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type BetterAuthPlugin, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'
import { betterAuthOptions, type IdentitySettings } from './better-auth-options.ts'
import { close, listen } from './ports.ts'

export interface BetterAuthSettings {
  readonly databaseUrl: string
  /** The port wanted; any free one when it is taken or not given. */
  readonly port?: number
  /** Signs sessions (random). */
  readonly secret?: string
  /** How long a JWT is good for, as a span (`15m`). */
  readonly tokenLifetime?: string
  readonly algorithm?: IdentitySettings['algorithm']
  /** Laid next to its own. */
  readonly plugins?: readonly BetterAuthPlugin[]
  /** JSON documents to serve next to Better Auth, by path. */
  readonly documents?: Readonly<Record<string, unknown>>
  /** HTML pages, as they are when they are asked for. */
  readonly pages?: ReadonlyMap<string, string>
}

/** Better Auth with all its plug-ins: `auth.api` holds every operation, also those that have no HTTP route. */
export type Auth = ReturnType<typeof createAuth>

export type BetterAuthServer = Awaited<ReturnType<typeof startBetterAuth>>

/** Makes Better Auth's tables where they are missing, then serves Better Auth on 127.0.0.1. */
export async function startBetterAuth(settings: BetterAuthSettings) {
  const secret = settings.secret ?? randomBytes(32).toString('hex')
  const pool = new pg.Pool({
    connectionString: settings.databaseUrl,
    max: 10,
    application_name: 'better-auth',
  })
  pool.on('error', () => {})
  // The pool listens to those alone that nobody uses.
  pool.on('connect', (client) => client.on('error', () => {}))
  // The port is part of every token's issuer, so it is taken before Better Auth is made.
  let handle = (_: IncomingMessage, response: ServerResponse) => send(response, 503, null)
  const server = createServer((request, response) => handle(request, response))
  try {
    const port = await listen(server, settings.port ?? 0, '127.0.0.1')
    const origin = `http://127.0.0.1:${port}`
    const { tokenLifetime = '15m', algorithm = 'EdDSA', plugins = [] } = settings
    const auth = createAuth({ origin, pool, secret, tokenLifetime, algorithm }, plugins)
    await (await getMigrations(auth.options)).runMigrations()
    handle = createHandler(auth, port, settings)
    return {
      url: `${origin}/api/auth`,
      /** What its JWTs carry as `iss` and `aud`. */
      issuer: origin,
      secret,
      auth,
      async stop() {
        server.closeAllConnections()
        await close(server)
        await pool.end()
      },
    }
  } catch (error) {
    await close(server)
    await pool.end()
    throw error
  }
}

function createAuth(settings: IdentitySettings, plugins: readonly BetterAuthPlugin[]) {
  const options = betterAuthOptions(settings)
  // Further plug-ins have no say in the types of `auth.api`.
  return betterAuth({
    ...options,
    plugins: [...options.plugins, ...plugins] as typeof options.plugins,
  })
}

/** A page that a browser was tricked into sending here under another name is refused (DNS rebinding). */
function createHandler(
  auth: Auth,
  port: number,
  { documents = {}, pages = new Map() }: Pick<BetterAuthSettings, 'documents' | 'pages'>,
) {
  const names = new Set([`127.0.0.1:${port}`, `localhost:${port}`])
  const api = toNodeHandler(auth)
  return (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url?.split('?', 1)[0] ?? '/'
    if (!names.has(request.headers.host ?? '')) send(response, 421, { error: 'Unknown host.' })
    else if (path.startsWith('/api/auth/'))
      api(request, response).catch(() => send(response, 500, { error: 'Failed.' }))
    else if (pages.has(path))
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(pages.get(path))
    else if (Object.hasOwn(documents, path)) send(response, 200, documents[path])
    else send(response, 404, { error: 'Better Auth is at /api/auth.' })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
