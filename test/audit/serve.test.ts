import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runCli, type Serving, startServing } from '../support/cli.ts'
import { world } from '../support/world.ts'

const { environment, services, ada, acme } = await world()
const folder = mkdtempSync(join(tmpdir(), 'audited-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function ask({ url }: Serving, query: string): Promise<string | null> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await services.token()}`,
    },
    body: JSON.stringify({ query }),
  })
  expect(await response.json()).toMatchObject({ data: expect.anything() })
  return response.headers.get('x-request-id')
}

const email = `{ user(id: "${ada.id}") { email } }`

test('records go to standard error and not into the log, and none is left behind by SIGTERM', async () => {
  const serving = await startServing({ ...environment, AUDIT_LOG: 'pii' })
  const requestId = await ask(serving, email)
  expect(await serving.signal('SIGTERM')).toBe(0)
  const lines = serving.complaint().trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { audit: 'pii', requestId, userId: ada.id, fields: ['User.email'] },
  ])
  expect(serving.lines.join()).not.toContain(ada.id)
})

test('a file that cannot be written keeps serve from starting', async () => {
  const { code, stdout, stderr } = await runCli(['serve'], {
    ...environment,
    AUDIT_LOG: 'pii',
    AUDIT_LOG_FILE: folder,
    NODE_ENV: 'production',
  })
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    level: 'fatal',
    msg: expect.stringMatching(/^AUDIT_LOG_FILE: EISDIR: .*$/),
  })
})

test.each(['a pipe', 'standard error'])(
  'with nobody who reads %s, neither requests nor the end are kept waiting',
  async (where) => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const to = where === 'a pipe' ? { AUDIT_LOG_FILE: pipe } : {}
    const serving = await startServing({ ...environment, AUDIT_LOG: 'both', ...to })
    serving.ignoreComplaints()
    const check = `{ organizationId: "${acme.id}", userId: "${ada.id}", permission: "leave:approve" }`
    const checks = `{ checkPermissions(checks: [${Array(100).fill(check)}]) { allowed } }`
    for (let time = 0; time < 15; time++) await ask(serving, checks)
    const begun = performance.now()
    await ask(serving, email)
    expect(performance.now() - begun).toBeLessThan(1500)
    expect(await serving.signal('SIGTERM')).toBe(0)
    expect(performance.now() - begun).toBeLessThan(8000)
    expect(serving.lines.join()).toContain('Records of the audit log are lost.')
    closeSync(reader)
    rmSync(pipe)
  },
)
