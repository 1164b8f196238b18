import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../../src/http/server.ts'
import { runCli } from '../support/cli.ts'
import { gatewayFor } from '../support/gateway.ts'
import { type Identity, type Person, startIdentity } from '../support/identity.ts'

// test/bff is a service of its own, typed by graphql-codegen, as one outside of this repository would be.
const bff = fileURLToPath(new URL('../bff', import.meta.url))
const documents = `${bff}/src/gql/persisted-documents.json`

let identity: Identity
let ada: Person
let server: Server

beforeAll(async () => {
  await writePermissions()
  await run('npm', 'run', '-s', 'codegen')
  identity = await startIdentity()
  ada = await identity.signUp('Ada')
  const grace = await identity.signUp('Grace')
  await identity.createOrganization(ada, 'Acme')
  await identity.addMember(await identity.createOrganization(grace, 'Globex'), ada, 'member')
  const gateway = gatewayFor(identity, { TRUSTED_DOCUMENTS_FILE: documents })
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
})

afterAll(async () => {
  await server?.stop()
  await identity?.stop()
})

async function run(command: string, ...words: string[]): Promise<void> {
  await promisify(execFile)(command, words, { cwd: bff })
}

/** From the roles that the identity service gives to Better Auth, in the two steps that docs/http.md shows. */
async function writePermissions(): Promise<void> {
  const roles = await runCli(['access-control', 'dist/demo/access-control.js'])
  await writeFile(`${bff}/access-control.json`, roles.stdout)
  const permissions = await runCli(['permissions', `${bff}/access-control.json`])
  await writeFile(`${bff}/src/permission.ts`, permissions.stdout)
}

test('it compiles, and permissions that no role grants would not', async () => {
  // misspelt.ts expects an error in each of its lines, so without them this is one.
  await run('npx', 'tsc')
})

test('the gateway answers its documents, by their hashes', async () => {
  const { loadLeavePage } = await import(`${bff}/dist/leave-page.js`)
  const gateway = { url: `${server.url}/graphql`, authorization: `Bearer ${await ada.jwt()}` }
  expect(await loadLeavePage(gateway)).toEqual({
    name: 'Ada',
    organizations: [
      { name: 'Acme', mayApprove: true, permissions: expect.arrayContaining(['leave:approve']) },
      { name: 'Globex', mayApprove: false, permissions: ['ac:read', 'leave:request'] },
    ],
  })
})

test('and no other', async () => {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await ada.jwt()}` },
    body: JSON.stringify({ query: '{ viewer { name } }' }),
  })
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'PERSISTED_QUERY_ID_REQUIRED' } }],
  })
})
