import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '../config/config.ts'
import { command } from './command.ts'

export const permissions = command({
  synopsis: 'permissions <file>',
  usage:
    'Print TypeScript that declares the permissions of an access control file, for typed clients.',
  options: {},
  run: async (_options, [file = '']) => {
    const { printPermissions } = await import('../print.ts')
    process.stdout.write(printPermissions(JSON.parse(await readFile(file, 'utf8'))))
  },
})

export const permissionsTest = command({
  synopsis: 'permissions test <file>',
  usage: `Compare what roles grant with what a file of cases expects of them, for CI (docs/permissions.md). Ends with 1
when a case comes out otherwise, and with 2 when a file cannot be read.
  --access-control  the access control file, in place of the one that the file names`,
  options: { 'access-control': { type: 'string' } },
  run: async ({ 'access-control': instead }, [file = '']) => {
    const { printPolicyResults, readPolicyTests, runPolicyTests } = await import(
      '../permissions/policy-tests.ts'
    )
    const tests = await reading(file, async () => readPolicyTests(await readJson(file)))
    const { accessControl: given } = tests
    const named = typeof given === 'string' ? resolve(dirname(file), given) : undefined
    const place = instead ?? named
    const results = await reading(place ?? file, async () =>
      runPolicyTests(tests, place === undefined ? given : await readJson(place)),
    )
    process.stdout.write(printPolicyResults(results))
    if (results.some(({ expected, found }) => expected !== found.allowed)) process.exitCode = 1
  },
})

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'))
}

/** @throws ConfigError naming the file that cannot be read, or does not say what it should. */
async function reading<Content>(file: string, read: () => Promise<Content>): Promise<Content> {
  try {
    return await read()
  } catch (error) {
    throw new ConfigError(`${file}: ${error instanceof Error ? error.message : error}`)
  }
}
