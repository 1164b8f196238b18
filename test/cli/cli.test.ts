import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { runCli } from '../support/cli.ts'

test.each([['--help'], ['-h'], ['serve', '--help']])(
  '%s %s tells how it is used',
  async (...words) => {
    const { code, stdout, stderr } = await runCli(words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const command of ['serve', 'demo', 'introspect', 'doctor', 'schema'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  },
)

test.each([
  [],
  ['unknown'],
  ['toString'],
  ['schema', 'more'],
  ['schema', '--json'],
  ['schema', '--federation', '--stitching'],
  ['schema', '--authorization'],
  ['schema', '--authorization', '--stitching'],
  ['serve', '--federation'],
  ['serve', '--unknown'],
  ['doctor', '--role', 'gateway'],
  ['serve', '--output', '-'],
])('called wrongly (%s %s %s) it ends with 2 and tells how it is used', async (...words) => {
  const { code, stdout, stderr } = await runCli(words.filter((word) => word !== undefined))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('Usage: identity-gateway <command>')
})

test('serve without its configuration ends with 2 and names every problem, without a stack', async () => {
  const { code, stdout, stderr } = await runCli(['serve'], { PORT: 'http' })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  for (const name of ['DATABASE_URL', 'AUTH_ISSUER', 'PORT']) expect(stderr).toContain(name)
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('serve on a port that is taken ends with 1', async () => {
  const { createServer } = await import('node:net')
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const address = taken.address()
  const { code, stderr } = await runCli(['serve'], {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    AUTH_ISSUER: 'https://auth.example.com',
    HOST: '127.0.0.1',
    PORT: String(typeof address === 'object' ? address?.port : address),
  })
  taken.close()
  expect(code).toBe(1)
  expect(stderr).toContain('EADDRINUSE')
})

test('introspect without a database ends with 2', async () => {
  const { code, stderr } = await runCli(['introspect'])
  expect(code).toBe(2)
  expect(stderr).toContain('DATABASE_URL')
})

test('schema prints what schema.graphql holds', async () => {
  const { code, stdout } = await runCli(['schema'])
  expect(code).toBe(0)
  const committed = await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8')
  expect(stdout === committed, 'schema.graphql is stale: run `npm run schema` and commit it.').toBe(
    true,
  )
})

test('schema prints what composers and stitchers read', async () => {
  const print = async (...words: string[]) => (await runCli(['schema', ...words])).stdout
  const directives = (text: string) =>
    new Set(text.replaceAll(/""".*?"""|"[^"\n]*"/gs, '').match(/@\w+/g))
  const forRouters = ['@authenticated', '@requiresScopes']
  const federation = ['@link', '@key', '@shareable', '@tag']
  expect(directives(await print())).toEqual(new Set())
  expect(directives(await print('--federation'))).toEqual(new Set(federation))
  expect(directives(await print('--federation', '--authorization'))).toEqual(
    new Set([...federation, ...forRouters]),
  )
  expect(directives(await print('--stitching'))).toEqual(new Set(['@key', '@merge']))
})
