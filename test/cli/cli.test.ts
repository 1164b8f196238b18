import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { runCli, startServing } from '../support/cli.ts'

const commands = [
  ...['serve', 'demo', 'introspect', 'doctor', 'schema', 'access-control', 'permissions'],
  'permissions test',
]

test.each(['--help', '-h'])('%s tells how everything is used', async (word) => {
  const { code, stdout, stderr } = await runCli([word])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  expect(stdout).toMatch(/^ {2}--version /m)
})

test.each(commands)('%s --help tells how that command is used, and does nothing', async (name) => {
  const { code, stdout, stderr } = await runCli([...name.split(' '), '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(new RegExp(`^Usage: identity-gateway ${name}[ \n]`))
  expect(stdout.includes('--federation')).toBe(name === 'schema')
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test.each([
  [],
  ['unknown'],
  ['toString'],
  ['schema', 'more'],
  ['schema', '--json'],
  ['schema', '--federation', '--stitching'],
  ['schema', '--authorization'],
  ['schema', '--prefix', 'Identity'],
  ['schema', '--federation', '--prefix', 'identity'],
  ['schema', '--authorization', '--stitching'],
  ['serve', '--federation'],
  ['serve', '--unknown'],
  ['doctor', '--role', 'gateway'],
  ['doctor', '--sql', '--json'],
  ['doctor', '--sql', '--token', '-'],
  ['doctor', '--without-triggers'],
  ['doctor', '--without-sessions', '--json'],
  ['doctor', '--without-api-keys'],
  ['doctor', '--without-opaque-tokens'],
  ['doctor', '--revoke-public'],
  ['serve', '--output', '-'],
  ['permissions'],
  ['permissions', 'test'],
  ['permissions', 'test', '--unknown'],
])('called wrongly (%s %s %s) it ends with 2 and tells how it is used', async (...words) => {
  const { code, stdout, stderr } = await runCli(words.filter((word) => word !== undefined))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('Usage: identity-gateway <command>')
})

test('serve without its configuration ends with 2 and names every problem in a line of its log, without a stack', async () => {
  // What else collectors of logs would have to understand.
  const { code, stdout, stderr } = await runCli(['serve'], { PORT: 'http', LOG_LEVEL: 'silent' })
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
  expect(stdout.match(/\n/g)).toHaveLength(1)
  const { msg, ...line } = JSON.parse(stdout)
  expect(line).toMatchObject({ level: 'fatal', service: 'identity-gateway' })
  for (const name of ['DATABASE_URL', 'AUTH_ISSUER', 'PORT'])
    expect(msg).toMatch(new RegExp(`^${name}: `, 'm'))
  expect(msg).not.toMatch(/^\s+at /m)
})

test('serve names a variable that is probably misspelt beside the one that is missing', async () => {
  const { code, stdout } = await runCli(['serve'], {
    NODE_ENV: 'production',
    AUTH_ISSUER: 'https://auth.example.com',
    DATABSE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
  })
  expect(code).toBe(2)
  expect(JSON.parse(stdout).msg.split('\n')).toEqual([
    expect.stringMatching(/^DATABASE_URL: is required/),
    expect.stringMatching(/^DATABSE_URL: .* DATABASE_URL\?$/),
  ])
})

test('serve warns in its log of variables that are probably misspelt, and starts', async () => {
  const serving = await startServing({
    AUTH_ISSUER: 'https://auth.example.com',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    LIMT_DEPTH: '3',
  })
  expect(serving.lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      msg: 'LIMT_DEPTH: is not a variable of the gateway; did you mean LIMIT_DEPTH?',
    }),
  )
  expect(await serving.signal('SIGTERM')).toBe(0)
})

test('serve says in one line which version listens and what is on, and nothing that is secret', async () => {
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  const serving = await startServing({
    DATABASE_URL: 'postgresql://nobody:planted@127.0.0.1:1/nothing',
    REDIS_URL: 'redis://:planted@127.0.0.1:1',
    AUTH_ISSUER: 'https://auth.example.com',
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: 'planted'.repeat(8),
    NODE_ENV: 'production',
    RATE_LIMIT_PER_MINUTE: '100',
  })
  const line = serving.lines.find((text) => text.includes('"listening"')) ?? ''
  expect(line).not.toContain('planted')
  expect(JSON.parse(line)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    service: 'identity-gateway',
    version,
    url: serving.url,
    settings: {
      environment: 'production',
      sessions: true,
      apps: false,
      opaqueTokens: false,
      apiKeys: false,
      services: false,
      events: 'off',
      federation: false,
      trustedDocuments: false,
      graphiql: false,
      introspection: false,
      cache: 'redis',
      ratePerMinute: 100,
      metrics: false,
      audit: false,
    },
    msg: 'listening',
  })
  expect(await serving.signal('SIGTERM')).toBe(0)
})

test('serve on a port that is taken ends with 1 and names the variable', async () => {
  const { createServer } = await import('node:net')
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const address = taken.address()
  const { code, stdout, stderr } = await runCli(['serve'], {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    AUTH_ISSUER: 'https://auth.example.com',
    HOST: '127.0.0.1',
    PORT: String(typeof address === 'object' ? address?.port : address),
  })
  taken.close()
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    level: 'fatal',
    msg: expect.stringMatching(/^PORT: something listens there already \(.*EADDRINUSE.*\)\.$/),
  })
})

test('doctor --sql leaves out, and takes from everybody, what it is told to', async () => {
  const { code, stdout } = await runCli([
    'doctor',
    '--sql',
    '--without-triggers',
    '--revoke-public',
  ])
  expect(code).toBe(0)
  expect(stdout).toContain('from public')
  expect(stdout).toContain('lo_create')
  expect(stdout).toContain('identity_gateway_session_user')
  expect(stdout).not.toContain('create trigger')
})

test('serve at an address that is not of this machine ends with 2 and names the variable', async () => {
  const { code, stdout, stderr } = await runCli(['serve'], {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    AUTH_ISSUER: 'https://auth.example.com',
    HOST: '192.0.2.1',
  })
  expect(code).toBe(2)
  expect(stdout + stderr).toMatch(/HOST: this machine has no such address \(.*EADDRNOTAVAIL.*\)\./)
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
    new Set(text.replaceAll(/""".*?"""|"[^"\n]*"/gs, '').match(/@(?!specifiedBy)\w+/g))
  const forRouters = ['@authenticated', '@requiresScopes']
  const federation = ['@link', '@key', '@shareable', '@tag']
  expect(directives(await print())).toEqual(new Set(['@fetchable']))
  expect(directives(await print('--federation'))).toEqual(new Set(federation))
  expect(directives(await print('--federation', '--authorization'))).toEqual(
    new Set([...federation, ...forRouters]),
  )
  const prefixed = await print('--federation', '--prefix', 'Identity')
  expect(prefixed).toMatch(/^type IdentitySession /m)
  expect(prefixed).toMatch(/^type User @key/m)
  expect(directives(await print('--stitching'))).toEqual(new Set(['@key', '@merge']))
  const costs = ['@cost', '@listSize']
  expect(directives(await print('--cost', '--stitching'))).toEqual(
    new Set(['@key', '@merge', ...costs]),
  )
  const weighed = await print('--cost', '--federation', '--authorization')
  expect(directives(weighed)).toEqual(new Set([...federation, ...forRouters, ...costs]))
})
