import { execFile } from 'node:child_process'
import { appendFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { documentedBlock } from '../support/documentation.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'
import { installInto, packInto } from './support/packed.ts'
import { type Program, startProgram } from './support/program.ts'

/* The packed gateway, installed beside real frameworks and bundlers, in their own processes. */

const { environment, identity, sql, ada } = await world({ own: true })
const hosting = fileURLToPath(new URL('../hosting', import.meta.url))
/** A database of Redis that no other test connects to. */
const REDIS_DATABASE = 12
const { url: redisUrl, prefix } = useRedis()
const redis = new Redis(redisUrl)
const env = {
  ...environment,
  REDIS_URL: `${redisUrl}/${REDIS_DATABASE}`,
  REDIS_KEY_PREFIX: prefix,
  RATE_LIMIT_PER_MINUTE: '10000',
  PERMISSION_EVENTS: 'redis',
  REQUEST_TIMEOUT_MS: '25000',
  DATABASE_STATEMENT_TIMEOUT_MS: '20000',
  LOG_LEVEL: 'silent',
  NEXT_TELEMETRY_DISABLED: '1',
}
const query = '{ viewer { name } }'
const answer = { data: { viewer: { name: 'Ada' } } }
let token: string
/** In the folder whose packages are used, so that they are found by their names. */
let folder: string

beforeAll(async () => {
  token = await ada.jwt()
  folder = await mkdtemp(join(hosting, '.run-'))
  const { tarball } = await packInto(folder)
  await installInto(hosting, '--no-save', '--no-package-lock', tarball)
})

afterAll(async () => {
  redis.disconnect()
  if (folder) await rm(folder, { recursive: true })
})

/** With a token. Of what is no JSON, the body is its text. */
async function ask(url: string, options: RequestInit = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(url, { ...options, headers: { ...headers, ...options.headers } })
  const body = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, body: isJson ? JSON.parse(body) : body }
}

function post(url: string, sent: unknown = { query }, headers: Record<string, string> = {}) {
  return ask(url, { method: 'POST', body: JSON.stringify(sent), headers })
}

/** What every way of hosting has to answer. */
async function expectAnswers(url: string): Promise<void> {
  // The second is a media type that takes the other way through the gateway.
  for (const accept of ['*/*', 'application/graphql-response+json, */*'])
    expect(await post(url, { query }, { accept })).toEqual({ status: 200, body: answer })
  expect((await post(url, [{ query }, { query }])).body).toEqual([answer, answer])
  expect((await ask(`${url}?query=${encodeURIComponent(query)}`)).body).toEqual(answer)
  const asAForm = { 'content-type': 'application/x-www-form-urlencoded' }
  const form = await ask(url, { method: 'POST', body: `query=${query}`, headers: asAForm })
  expect(form.body).toEqual(answer)
  expect(await post(url, { query }, { authorization: 'Bearer none' })).toMatchObject({
    status: 401,
    body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  })
}

async function expectPage(url: string): Promise<void> {
  const { status, headers, body } = await fetch(url, { headers: { accept: 'text/html' } })
  expect({ status, type: headers.get('content-type') }).toMatchObject({
    status: 200,
    type: expect.stringMatching(/^text\/html/),
  })
  // It is megabytes.
  await body?.cancel()
}

const tooLarge = {
  status: 413,
  body: { errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] },
}

describe('in Next.js', () => {
  let app: string
  let route: string
  let running: Program & { readonly said: string }

  const next = (words: string[], more: NodeJS.ProcessEnv = {}) =>
    startProgram([createRequire(join(hosting, 'x.js')).resolve('next/dist/bin/next'), ...words], {
      cwd: app,
      env: { ...env, GRAPHIQL: 'on', ...more },
      until: /Local: +(http:\S+)/,
    })

  const shown = documentedBlock('// app/graphql/route.ts').text

  beforeAll(async () => {
    // There is nothing in it besides the file that docs/library.md shows: no next.config either.
    app = join(folder, 'next')
    route = join(app, 'app/api/graphql/route.ts')
    await mkdir(join(route, '..'), { recursive: true })
    await writeFile(route, shown)
  })

  afterEach(() => running?.stop())

  test('it is built without a variable being set, and what was built answers', async () => {
    await run('cd next && next build', { NEXT_TELEMETRY_DISABLED: '1' })
    running = await next(['start', '-H', '127.0.0.1', '-p', '0'])
    const url = `${running.said}/api/graphql`
    await expectAnswers(url)
    await expectPage(url)
    expect(await post(url, { query, more: 'x'.repeat(200_000) })).toMatchObject(tooLarge)
  }, 600_000)

  test('a development server leaves no connection behind when the file is changed', async () => {
    // How many of a larger pool are open depends on what was asked at once.
    running = await next(['dev', '-H', '127.0.0.1', '-p', '0'], { DATABASE_POOL_SIZE: '1' })
    const url = `${running.said}/api/graphql`
    await expectAnswers(url)
    const first = await connections()
    expect(first.redis).toBeGreaterThan(0)
    expect(first.postgres).toBeGreaterThan(0)
    for (const edit of ['first', 'second', 'third']) {
      await appendFile(route, `console.log('evaluated the ${edit} time')\n`)
      const isEvaluated = async () => {
        expect((await post(url)).body).toEqual(answer)
        return running.lines.some((line) => line.includes(`evaluated the ${edit} time`))
      }
      await expect.poll(isEvaluated, { timeout: 60_000, interval: 200 }).toBe(true)
    }
    await expectAnswers(url)
    // One gateway for each change would have four times as many.
    await expect.poll(connections, { timeout: 10_000 }).toEqual(first)
  }, 300_000)

  test('by webpack, and as a folder that needs no packages beside it, it answers as well', async () => {
    await writeFile(
      join(app, 'next.config.mjs'),
      `export default {
        output: 'standalone',
        serverExternalPackages: ['identity-gateway'],
        distDir: 'standalone',
        outputFileTracingRoot: ${JSON.stringify(hosting)},
      }`,
    )
    // As it was before the development server saw it change.
    await writeFile(route, shown)
    // What Next.js writes to start it is no module.
    await writeFile(join(app, 'package.json'), '{ "private": true }')
    await run('cd next && next build --webpack', { NEXT_TELEMETRY_DISABLED: '1' })
    // Elsewhere, so that nothing is found but what is in it.
    const alone = await mkdtemp(join(tmpdir(), 'identity-next-'))
    const built = join(app, 'standalone/standalone')
    await cp(built, alone, { recursive: true, verbatimSymlinks: true })
    const port = await findFreePort()
    running = await startProgram([join(alone, relative(hosting, app), 'server.js')], {
      cwd: alone,
      env: { ...env, GRAPHIQL: 'on', HOSTNAME: '127.0.0.1', PORT: String(port) },
      until: /Local: +(http:\S+)/,
    })
    const url = `${running.said}/api/graphql`
    await expectAnswers(url)
    await expectPage(url)
    await rm(alone, { recursive: true })
  }, 600_000)

  async function connections() {
    const clients = String(await redis.client('LIST')).split('\n')
    const backends = await sql(
      "select 1 from pg_stat_activity where application_name like 'identity-gateway%' and datname = current_database()",
    )
    return {
      redis: clients.filter((line) => line.includes(` db=${REDIS_DATABASE} `)).length,
      postgres: backends.length,
    }
  }
})

describe('in Express and Nest', () => {
  let apps: Program
  let urls: Readonly<Record<string, string>>

  beforeAll(async () => {
    await cp(join(hosting, 'apps.ts'), join(folder, 'apps.ts'))
    await run(
      `esbuild apps.ts --bundle --packages=external --platform=node --format=esm --outfile=apps.mjs --tsconfig-raw='{"compilerOptions":{"experimentalDecorators":true}}'`,
    )
    const started = await startProgram(['apps.mjs'], {
      cwd: folder,
      // Less than a statement waits for a connection behind others of its caller's.
      env: { ...env, REQUEST_TIMEOUT_MS: '4500' },
      until: /^(\{.*)/,
    })
    apps = started
    urls = JSON.parse(started.said)
  })

  afterAll(() => apps?.stop())

  const frameworks = ['Express 5', 'Express 4', 'Nest', 'Nest with rawBody']
  const paths = ['/ahead/graphql', '/behind/graphql', '/own/graphql', '/route/graphql']

  describe.each(frameworks)('%s', (framework) => {
    test.each(paths)('answers at %s', async (path) => {
      await expectAnswers(urls[framework] + path)
    })

    test('shows GraphiQL', async () => {
      await expectPage(`${urls[framework]}/behind/graphql`)
    })

    test('refuses a body that is too large, with a code unless its own parser refused it', async () => {
      const sent = { query, more: 'x'.repeat(200_000) }
      expect(await post(`${urls[framework]}/ahead/graphql`, sent)).toMatchObject(tooLarge)
      const behind = await post(`${urls[framework]}/behind/graphql`, sent)
      // Nest's parser has the same limit as the gateway, that of these Express applications has more.
      expect(behind).toMatchObject(framework.startsWith('Nest') ? { status: 413 } : tooLarge)
    })
  })

  test('each ends a request at the deadline that waits for PostgreSQL, or for its own body', async () => {
    const owner = new pg.Client(identity.ownerUrl)
    await owner.connect()
    try {
      await owner.query('begin; lock table users in access exclusive mode')
      const asked = frameworks.flatMap((framework) =>
        paths.map((path) => post(urls[framework] + path)),
      )
      const halves = frameworks.map((framework) => askHalf(urls[framework] ?? ''))
      for (const told of await Promise.all(asked))
        expect(told.body).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }] })
      for (const received of await Promise.all(halves))
        expect(received).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"/)
    } finally {
      await owner.end()
    }
  })

  /** A request whose body stops before its end. */
  function askHalf(url: string): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      'POST /ahead/graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query":',
    )
    return text(socket)
  }
})

describe('bundled by esbuild', () => {
  const PRISMA_SCHEMA_FILE = join(hosting, 'node_modules/identity-gateway/prisma/schema.prisma')

  beforeAll(() => cp(join(hosting, 'server.ts'), join(folder, 'server.ts')))

  test.each(['mjs', 'cjs'])('without its packages it answers: %s', async (extension) => {
    const outfile = `external.${extension}`
    const format = extension === 'mjs' ? 'esm' : 'cjs'
    await run(
      `esbuild server.ts --bundle --platform=node --packages=external --format=${format} --outfile=${outfile}`,
    )
    await expectServed(outfile, {})
  })

  test('with its packages it answers when it is built as the documentation says', async () => {
    await run(documentedBlock('esbuild server.ts').text)
    for (const outfile of ['server.mjs', 'server.cjs'])
      await expectServed(outfile, { PRISMA_SCHEMA_FILE })
  })

  test('with its packages and without the schema file it ends, naming the variable', async () => {
    const started = startProgram(['server.mjs'], { cwd: folder, env, until: /^(http:.*)/ })
    await expect(started).rejects.toThrow(/PRISMA_SCHEMA_FILE: cannot be read/)
  })

  async function expectServed(outfile: string, further: Readonly<Record<string, string>>) {
    const served = await startProgram([outfile], {
      cwd: folder,
      env: { ...env, ...further },
      until: /^(http:.*)/,
    })
    try {
      await expectAnswers(`${served.said}/graphql`)
      await expectPage(`${served.said}/graphql`)
    } finally {
      await served.stop()
    }
  }
})

/** Runs commands of the installed packages, in the folder. */
async function run(commands: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const path = `${join(hosting, 'node_modules/.bin')}:${process.env.PATH}`
  await promisify(execFile)('sh', ['-ec', commands], {
    cwd: folder,
    env: { ...env, PATH: path },
  }).catch(({ stdout, stderr }) => {
    throw new Error(stdout + stderr)
  })
}
