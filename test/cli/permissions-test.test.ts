import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { policyTests } from '../../src/permissions/policy-tests.ts'
import { runCli } from '../support/cli.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identity-policy-'))
})

afterAll(() => rm(folder, { recursive: true }))

const roles = {
  member: { leave: ['request'] },
  approver: { leave: ['approve'] },
  owner: { leave: ['request', 'approve'], report: ['read'] },
}

async function run(tests: unknown, words: readonly string[] = []) {
  const file = join(folder, 'tests.json')
  await writeFile(file, typeof tests === 'string' ? tests : JSON.stringify(tests))
  const result = await runCli(['permissions', 'test', file, ...words])
  return { ...result, stderr: result.stderr.replaceAll(folder, '') }
}

const one = (held: readonly string[], permission: string, expected: boolean, more = {}) => ({
  roles: held,
  permission,
  expected,
  ...more,
})

test('cases that come out as expected end with 0', async () => {
  const cases = [
    one(['member'], 'leave:request', true),
    one(['member'], 'leave:approve', false),
    one(['member', 'approver'], 'leave:approve', true),
    one([' member,approver'], 'leave:approve', true),
    one([], 'leave:request', false),
    one(['constructor'], 'leave:request', false),
  ]
  expect(await run({ accessControl: { roles }, cases })).toEqual({
    code: 0,
    stdout: '6 cases: 6 as expected, 0 not.\n',
    stderr: '',
  })
})

test('roles of the database add to those of the file, for all cases or for one', async () => {
  const dynamicRoles = [
    { role: 'night', permission: { leave: ['approve'] } },
    { role: 'member', permission: '{"report":["read"]}' },
    { role: 'broken', permission: '{nope' },
  ]
  const cases = [
    one(['night'], 'leave:approve', true),
    one(['member'], 'report:read', true),
    one(['member'], 'leave:request', true),
    one(['broken'], 'leave:approve', false),
    one(['night'], 'leave:approve', false, { dynamicRoles: [] }),
  ]
  const result = await run({ accessControl: { roles }, dynamicRoles, cases })
  expect(result).toMatchObject({ code: 0, stderr: '' })
})

test('without an access control file, the roles are those of Better Auth', async () => {
  const cases = [one(['admin'], 'organization:update', true), one(['member'], 'ac:read', true)]
  expect(await run({ cases })).toMatchObject({ code: 0 })
})

test('cases that come out otherwise end with 1, and the difference is there to be read', async () => {
  await writeFile(join(folder, 'access-control.json'), JSON.stringify({ roles }))
  const cases = [
    one(['member'], 'leave:request', true),
    one(['member', 'approver'], 'leave:approve', false, { name: 'members approve no leave' }),
    one(['member', 'aprover'], 'leave:approve', true),
    one(['member'], 'salary:read', true),
  ]
  expect(await run({ accessControl: 'access-control.json', cases })).toEqual({
    code: 1,
    stderr: '',
    stdout: `FAIL  members approve no leave
        roles       member, approver
        permission  leave:approve
      - expected    refused
      + found       allowed by approver (static)

FAIL  case 3
        roles       member, aprover
        permission  leave:approve
      - expected    allowed
      + found       refused: none of these roles grants it, approver, owner would; aprover is defined nowhere

FAIL  case 4
        roles       member
        permission  salary:read
      - expected    allowed
      + found       refused: none of these roles grants it, no role does

4 cases: 1 as expected, 3 not.
`,
  })
})

test('another access control file can be given', async () => {
  const other = join(folder, 'other.json')
  await writeFile(other, JSON.stringify({ roles: { member: { leave: ['approve'] } } }))
  const cases = [one(['member'], 'leave:approve', true)]
  const tests = { accessControl: { roles }, cases }
  expect(await run(tests)).toMatchObject({ code: 1 })
  expect(await run(tests, ['--access-control', other])).toMatchObject({ code: 0 })
})

test.each([
  ['a file that is no JSON', '{', 'tests.json: '],
  ['a file without cases', { cases: [] }, 'tests.json: These are no policy tests: cases: '],
  [
    'a case without a permission',
    { cases: [{ roles: [], expected: true }] },
    'cases[0].permission',
  ],
  ['a permission without an action', { cases: [one([], 'leave', true)] }, 'resource:action'],
  ['a member that nobody knows', { cases: [one([], 'a:b', true)], case: [] }, '"case"'],
  [
    'an access control file that is not there',
    { accessControl: 'none.json', cases: [one([], 'a:b', true)] },
    'none.json: ',
  ],
])('%s ends with 2 and is told', async (_name, tests, complaint) => {
  const { code, stdout, stderr } = await run(tests)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(complaint)
  expect(stderr).not.toContain('Usage:')
})

test('the JSON schema of the documentation is what is read', async () => {
  const file = new URL('../../docs/permission-tests.schema.json', import.meta.url)
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(
    z.toJSONSchema(policyTests, { io: 'input' }),
  )
})
