import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { close, listen } from '../../src/demo/ports.ts'
import { runCli } from '../support/cli.ts'
import { world } from '../support/world.ts'

const { environment, identity, services } = await world()

test('serve --check tells what serve would do, and does not listen', async () => {
  const taken = createServer()
  const PORT = String(await listen(taken, 0, '127.0.0.1'))
  const { code, stdout, stderr } = await runCli(['serve', '--check'], {
    ...environment,
    HOST: '127.0.0.1',
    PORT,
    METRICS_PORT: '9464',
    NODE_ENV: 'production',
    DATABASE_POOL_SIZE: '7',
  })
  await close(taken)
  const { host, username, pathname, password } = new URL(identity.readOnlyUrl)
  const { issuer } = identity.betterAuth
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n').filter((line) => line.startsWith('serve '))).toEqual(
    [
      `It would listen at 127.0.0.1, port ${PORT}, and for Prometheus at 127.0.0.1, port 9464.`,
      `It would read the schema public of the database ${pathname.slice(1)} at ${host} as the role ${username}, over at most 7 connections.`,
      `It would accept JWTs of ${issuer} for ${issuer}, services' tokens of ${services.issuer} for ${services.audience}.`,
      'It would keep permissions in its own memory for 300 s at most; news of changes: off.',
      'GraphiQL is off, introspection of the graph is off.',
    ].map((message) => `serve           ok      ${message}`),
  )
  expect(stdout).toMatch(/^layout +ok .*\n[\s\S]*^keys +ok .*\n[\s\S]*^0 errors, \d+ warnings\.$/m)
  expect(stdout).not.toContain(password)
})

test('serve --check ends with 1 where serve would be in danger, with 2 where it cannot begin', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'check-'))
  const documents = join(folder, 'documents.json')
  await writeFile(documents, '{ "a": "{ nothing }" }')
  const [owner, misfit, missing] = await Promise.all(
    [
      { ...environment, DATABASE_URL: identity.ownerUrl },
      { ...environment, TRUSTED_DOCUMENTS_FILE: documents },
      { DATABASE_URL: identity.readOnlyUrl },
    ].map((each) => runCli(['serve', '--check'], each)),
  )
  await rm(folder, { recursive: true })
  expect(owner?.code).toBe(1)
  expect(owner?.stdout).toMatch(/^serve +ok [\s\S]*^role +ERROR +The role .* is a superuser/m)
  expect(misfit?.code).toBe(2)
  expect(misfit?.stdout).toMatch(/^configuration +ERROR +TRUSTED_DOCUMENTS_FILE: .*nothing/m)
  expect(missing?.code).toBe(2)
  expect(missing?.stdout).toMatch(/^configuration +ERROR +AUTH_ISSUER: is required/m)
})
