import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { runCli, startServing } from '../support/cli.ts'
import { valuesOf } from '../support/dockerfile.ts'
import { world } from '../support/world.ts'

const { environment } = await world()
const packaged = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>

test('the users of the images are numbers, which an orchestrator can tell from root', () => {
  expect(valuesOf('USER')).toEqual(['1000:1000'])
  expect(valuesOf('USER', 'introspect')).toEqual(['1000:1000'])
})

test('the image says what it is, as the package does', () => {
  const [labels = ''] = valuesOf('LABEL')
  const said = [...labels.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)]
  expect(Object.fromEntries(said.map(([, name, value]) => [name, value]))).toEqual({
    title: packaged.name,
    description: packaged.description,
    version: packaged.version,
    licenses: packaged.license,
  })
})

test('the image serves for production and leaves balancers time, and runs other commands by name', async () => {
  expect(valuesOf('ENV')).toEqual(['NODE_ENV=production SHUTDOWN_GRACE_MS=5000'])
  const [program = '', ...usual] = [...valuesOf('ENTRYPOINT'), ...valuesOf('CMD')].map((words) =>
    JSON.parse(words),
  )
  expect(program).toEqual(['node', 'dist/cli/main.js'])
  for (const words of [...usual, ['doctor']]) {
    const { code, stdout } = await runCli([...words, '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(`Usage: identity-gateway ${words[0]}\n`)
  }
})

const [probe = ''] = valuesOf('HEALTHCHECK')
const [node, ...words] = JSON.parse(probe.replace(/^.*? CMD /, '')) as string[]

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
