import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessControl } from '../../src/demo/access-control.ts'
import { loadConfig } from '../../src/gateway.ts'
import { runCli } from '../support/cli.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'identity-access-control-'))
})

afterAll(() => rm(directory, { recursive: true }))

async function moduleWith(content: string): Promise<string> {
  const path = join(directory, `${crypto.randomUUID()}.mjs`)
  await writeFile(path, content)
  return path
}

test('what the demo gives to Better Auth is printed as an access control file', async () => {
  const { code, stdout, stderr } = await runCli(['access-control', 'dist/demo/access-control.js'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toEqual(accessControl)
})

test('what is printed is accepted as ACCESS_CONTROL_FILE', async () => {
  const { stdout } = await runCli(['access-control', 'dist/demo/access-control.js'])
  const file = join(directory, 'access-control.json')
  await writeFile(file, stdout)
  const { permissions } = loadConfig({
    DATABASE_URL: 'postgresql://nobody@127.0.0.1/nothing',
    AUTH_ISSUER: 'https://identity.example.com',
    ACCESS_CONTROL_FILE: file,
  })
  expect(permissions.accessControl).toEqual(accessControl)
})

test('what is printed can be declared as the permissions of typed clients', async () => {
  const file = join(directory, 'typed.json')
  await writeFile(file, JSON.stringify({ roles: { clerk: { leave: ['approve'] } } }))
  const { code, stdout, stderr } = await runCli(['permissions', file])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe('export type Permission =\n  | "leave:approve"\n')
  await writeFile(file, '{ "roles": ["clerk"] }')
  expect(await runCli(['permissions', file])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('malformed'),
  })
})

test('roles can be exported by another name, also as the default', async () => {
  const path = await moduleWith(`
    const clerk = { statements: { leave: ['approve'] }, authorize: () => ({ success: true }) }
    export const ourRoles = { clerk }
    export default { clerk, idle: { statements: {} } }`)
  for (const [name, roles] of Object.entries({
    ourRoles: { clerk: { leave: ['approve'] } },
    default: { clerk: { leave: ['approve'] }, idle: {} },
  })) {
    const { code, stdout } = await runCli(['access-control', path, '--export', name])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ roles })
  }
})

describe('ends with 1, prints nothing and says what is wrong:', () => {
  const cases: Record<string, { content?: string; words?: string[]; complaint: string }> = {
    'a module that does not exist': { complaint: 'Cannot find module' },
    'a module that throws': {
      content: "throw new Error('no roles today')",
      complaint: 'no roles today',
    },
    'a module without that export': {
      content: 'export const other = {}',
      complaint: 'exports nothing by the name roles',
    },
    'a module without the export that is asked for': {
      content: 'export const roles = {}',
      words: ['--export', 'ourRoles'],
      complaint: 'exports nothing by the name ourRoles',
    },
    'an export that is no object': { content: 'export const roles = 7', complaint: 'not roles' },
    'roles that are plain statements': {
      content: "export const roles = { clerk: { leave: ['approve'] } }",
      complaint: 'roles of Better Auth: clerk.statements: ',
    },
    'actions that are not a list': {
      content: "export const roles = { clerk: { statements: { leave: 'approve' } } }",
      complaint: 'roles of Better Auth: clerk.statements.leave: ',
    },
  }

  test.each(Object.entries(cases))('%s', async (_name, { content, words = [], complaint }) => {
    const path = content === undefined ? join(directory, 'absent.mjs') : await moduleWith(content)
    const { code, stdout, stderr } = await runCli(['access-control', path, ...words])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(complaint)
    expect(stderr).not.toContain('    at ')
  })
})

test.each([
  [['access-control']],
  [['access-control', 'one.js', 'two.js']],
  [['schema', '--export', 'roles']],
  [['permissions']],
])('%j is called wrongly', async (words) => {
  const { code, stdout, stderr } = await runCli(words)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('access-control <module>')
})
