import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readmeBlock } from '../support/readme.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'

const { environment, sql, ada, acme } = await world({ own: true })
const RELOADS = 4
/** A database of Redis that no other test connects to. */
const DATABASE = 13
const root = fileURLToPath(new URL('../..', import.meta.url))
const { url, prefix } = useRedis()
const redis = new Redis(url)
let directory: string
let child: ChildProcess

beforeAll(async () => {
  // In the repository, so that its packages and the repository itself are found by their names.
  directory = await mkdtemp(join(root, '.readme-reload-'))
  const file = join(directory, 'route.mts')
  await writeFile(file, readmeBlock('// app/graphql/route.ts').text)
  const options = ['--module', 'nodenext', '--types', 'node', '--skipLibCheck', '--ignoreConfig']
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, file])
  await writeFile(join(directory, 'server.mjs'), developmentServer)
})

afterAll(async () => {
  child?.kill()
  redis.disconnect()
  await rm(directory, { recursive: true })
})

/** Evaluates the file for each line that it is sent, as a development server does for each change, and asks it something. */
const developmentServer = `
  import { createInterface } from 'node:readline'
  let loaded = 0
  for await (const _line of createInterface({ input: process.stdin })) {
    const { POST } = await import('./route.mjs?' + loaded++)
    const response = await POST(
      new Request('http://next.example.com/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: process.env.AUTHORIZATION },
        body: JSON.stringify({ query: process.env.QUERY }),
      }),
    )
    console.log(await response.text())
  }
`

test('the route file for Next.js leaves no connection behind when it is evaluated again', async () => {
  const { PATH = '' } = process.env
  child = spawn(process.execPath, [join(directory, 'server.mjs')], {
    env: {
      PATH,
      ...environment,
      REDIS_URL: `${url}/${DATABASE}`,
      REDIS_KEY_PREFIX: prefix,
      RATE_LIMIT_PER_MINUTE: '1000',
      PERMISSION_EVENTS: 'redis',
      LOG_LEVEL: 'silent',
      AUTHORIZATION: `Bearer ${await ada.jwt()}`,
      QUERY: `{ viewer { name } can(permission: "member:create", organizationId: "${acme.id}") }`,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const evaluate = async () => {
    child.stdin?.write('\n')
    const [line] = await once(lines, 'line')
    expect(JSON.parse(line)).toEqual({ data: { viewer: { name: 'Ada' }, can: true } })
  }

  await evaluate()
  const first = await connections()
  expect(first.redis).toBeGreaterThan(0)
  expect(first.postgres).toBeGreaterThan(0)
  for (let reload = 0; reload < RELOADS; reload++) await evaluate()
  // What a gateway holds of PostgreSQL depends on how much it was asked at once.
  const more = async () => {
    const now = await connections()
    return [now.redis - first.redis, Math.max(0, now.postgres - first.postgres)]
  }
  await expect.poll(more, { timeout: 5000 }).toEqual([0, 0])
})

async function connections() {
  const clients = String(await redis.client('LIST')).split('\n')
  const backends = await sql(
    "select 1 from pg_stat_activity where application_name like 'identity-gateway%' and datname = current_database()",
  )
  return {
    redis: clients.filter((line) => line.includes(` db=${DATABASE} `)).length,
    postgres: backends.length,
  }
}
