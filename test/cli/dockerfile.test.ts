import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startServing } from '../support/cli.ts'
import { world } from '../support/world.ts'

const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
const { environment } = await world()

test('the users of the images are numbers, which an orchestrator can tell from root', () => {
  const users = [...dockerfile.matchAll(/^USER (.*)$/gm)].map(([, user]) => user)
  expect(users).toEqual(['1000:1000', '1000:1000'])
})

const [, probe = ''] = /HEALTHCHECK[^[]*CMD (\[.*\])$/m.exec(dockerfile) ?? []
const [node, ...words] = JSON.parse(probe) as string[]

test.each(['', '0.0.0.0', '::', '::1', '127.0.0.2'])(
  'the health check asks a gateway that listens on %j',
  async (HOST) => {
    expect(node).toBe('node')
    const serving = await startServing({ ...environment, HOST })
    onTestFinished(async () => {
      await serving.signal('SIGTERM')
    })
    const PORT = new URL(serving.url).port
    await promisify(execFile)(process.execPath, words, { env: { HOST, PORT } })
    expect(await serving.signal('SIGTERM')).toBe(0)
    await expect(
      promisify(execFile)(process.execPath, words, { env: { HOST, PORT } }),
    ).rejects.toMatchObject({ code: 1 })
  },
)
