import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BetterAuthClient } from '../../src/better-auth/better-auth-client.ts'
import type { IdentityGatewayPlugin } from '../../src/better-auth/better-auth-plugin.ts'
import { close, listen } from '../../src/demo/ports.ts'
import { changes, createScene, delayOf, type Scene } from '../support/changes.ts'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { identityOf } from '../support/identity.ts'
import { useRedis } from '../support/redis.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import { load } from '../versions/load.ts'
import { environmentOf } from './layouts/answers.ts'
import { origin, secret } from './layouts/better-auth.ts'
import { house } from './layouts/cases.ts'
import { libraryFrom } from './layouts/library.ts'
import { type Prepared, prepare } from './layouts/prepare.ts'
import { type Application, createApplication } from './versions/application.ts'
import { minor, versions } from './versions/versions.ts'

/*
 * What the package of the gateway brings for applications, in applications with each version of Better Auth that it is
 * for: the plug-in tells of every change, the client changes things, and both fit the types of the version.
 */

const { url, prefix } = useRedis()
const root = fileURLToPath(new URL('../..', import.meta.url))
/** As the range of peerDependencies. */
const supported = versions.filter(({ version }) => minor(version) >= 4)

let application: Application
let plugin: IdentityGatewayPlugin
let prepared: Prepared
let services: ServiceIssuer
let scene: Scene
let gateways: readonly GatewayUnderTest[]
let stopServing: () => Promise<void>

describe.each(supported)('Better Auth $version', ({ name }) => {
  beforeAll(async () => {
    application = await createApplication(name)
    const { identityGateway } = await application.load('./better-auth')
    plugin = (identityGateway as (options: object) => IdentityGatewayPlugin)({
      redisUrl: url,
      keyPrefix: `${prefix}${name}:`,
    })
    const library = await libraryFrom(load, name)
    prepared = await prepare({ ...house, library, plugins: [plugin], randomIds: true })
    services = await startServiceIssuer()
    const server = await serve(name)
    const readOnlyUrl = prepared.environment.DATABASE_URL ?? ''
    const identity = identityOf(prepared.database, readOnlyUrl, {
      url: `${server.url}/api/auth`,
      issuer: origin,
      secret,
      auth: prepared.auth,
      stop: server.stop,
    })
    stopServing = server.stop
    scene = await createScene(identity)
    gateways = ['redis', 'off'].map((PERMISSION_EVENTS) =>
      gatewayFor(identity, {
        ...environmentOf(prepared, services),
        PERMISSION_EVENTS,
        REDIS_URL: url,
        REDIS_KEY_PREFIX: `${prefix}${name}:`,
      }),
    )
  })
  afterAll(async () => {
    for (const gateway of gateways) await gateway.close()
    await stopServing()
    await services.stop()
    plugin.close()
    await prepared.stop()
    await application.remove()
  })

  test.each(Object.entries(changes))('%s is seen at once by every gateway', async (_, change) => {
    expect(await delayOf(scene, change, gateways, await services.token())).toBeLessThan(2000)
  })

  test('the client asks and changes in the name of its caller', async () => {
    const { betterAuthFor } = await application.load('./writes')
    const create = betterAuthFor as (url: string, caller: Headers) => BetterAuthClient
    const { betterAuth } = scene.identity
    const client = create(betterAuth.url, scene.admin.headers)
    const made = await client.organization.create({ name: 'Ours', slug: 'ours' })
    expect(made).toMatchObject({ error: null, data: { slug: 'ours' } })
    const listed = await client.admin.listUsers({ query: { limit: 1 } })
    expect(listed).toMatchObject({ error: null, data: { users: [{}] } })
  })

  test('both fit its types', async () => {
    await application.write('auth.ts', code)
    const words = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', 'auth.ts']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const cwd = application.folder
    const run = promisify(execFile)(process.execPath, [tsc, ...words], { cwd })
    await expect(run.catch(({ stdout }) => stdout)).resolves.toMatchObject({ stdout: '' })
  })
})

const code = `import { betterAuth } from 'better-auth'
import { organization } from 'better-auth/plugins'
import { identityGateway } from 'identity-gateway/better-auth'
import { betterAuthFor } from 'identity-gateway/writes'

export const auth = betterAuth({
  plugins: [organization(), identityGateway({ redisUrl: 'redis://localhost' })],
})
export const listed = auth.api.listOrganizations({ headers: new Headers() })
export const made = betterAuthFor('http://localhost/api/auth', new Headers()).organization.create({
  name: 'Ours',
  slug: 'ours',
})
`

async function serve(name: string) {
  const { toNodeHandler } = (await load(
    `${name}/node`,
  )) as unknown as typeof import('better-auth/node')
  const server = createServer(toNodeHandler(prepared.auth))
  const port = await listen(server, 0, '127.0.0.1')
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      await close(server)
    },
  }
}
