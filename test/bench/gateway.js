import { join } from 'node:path'
import { findFreePort } from '../../dist/demo/ports.js'
import { startProcess } from './process.js'

/**
 * The gateway of a checkout that has been built, with every check it makes.
 * @param root Of the checkout.
 */
export async function startGateway(root, { world, redis }) {
  const { origin, service } = world
  const port = await findFreePort()
  const env = {
    DATABASE_URL: world.gatewayUrl,
    REDIS_URL: redis.url,
    AUTH_ISSUER: origin,
    SERVICE_ISSUER: service.issuer,
    SERVICE_AUDIENCE: service.audience,
    SERVICE_JWKS_URL: service.jwksUrl,
    AUTHZEN: 'on',
    HOST: '127.0.0.1',
    PORT: String(port),
    ...(process.env.BENCH_LOG_LEVEL ? { LOG_LEVEL: process.env.BENCH_LOG_LEVEL } : {}),
  }
  return startProcess(process.execPath, [join(root, 'dist/cli/main.js'), 'serve'], env, port)
}
