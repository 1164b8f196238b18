import { afterAll, expect, test } from 'vitest'
import { changes, createScene, delayOf } from '../support/changes.ts'
import { gatewayFor } from '../support/gateway.ts'
import { startIdentity } from '../support/identity.ts'
import { startServiceIssuer } from '../support/tokens.ts'

const TTL_SECONDS = 1

const services = await startServiceIssuer()
const scene = await createScene(await startIdentity())
const gateway = gatewayFor(scene.identity, {
  PERMISSION_CACHE_TTL_SECONDS: String(TTL_SECONDS),
  ...services.environment,
})

afterAll(async () => {
  await gateway.close()
  await services.stop()
  await scene.identity.stop()
})

test.each(Object.entries(changes))(
  '%s is seen within the TTL, without any news',
  async (name, change) => {
    const delayMs = await delayOf(scene, change, [gateway], await services.token())
    process.stdout.write(
      `measured: ${name}, TTL ${TTL_SECONDS} s, no news: ${delayMs.toFixed()} ms\n`,
    )
    expect(delayMs).toBeLessThan(TTL_SECONDS * 1000 + 500)
  },
)
