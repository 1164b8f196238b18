import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, type Crowd, openCrowd } from './support/crowd.ts'

/*
 * What a request makes dies with it. Whatever keeps it until the old generation is collected costs a third of the CPU, and
 * is seen by nothing else; docs/internals.md lists the ways in which that happened.
 */

/** Connections of a pool that is at work have a request's last rows each, and caches grow. */
const MOST_PROMOTED_BYTES = 5000

let crowd: Crowd
let folder: string

beforeAll(async () => {
  crowd = await openCrowd()
  folder = await mkdtemp(join(tmpdir(), 'promoted-'))
}, 300_000)

afterAll(async () => {
  await crowd?.stop()
  if (folder) await rm(folder, { recursive: true })
})

test.each([
  [
    'pages of members',
    2000,
    '{ viewer { organizations(first: 5) { nodes { id name members(first: 20) { nodes { roles user { id name email } } } } } } }',
  ],
  ['one user', 6000, '{ user(id: "v1") { id name email } }'],
] as const)('answers of %s leave nothing in the old generation', async (what, requests, query) => {
  const file = join(folder, what)
  const gateway = await crowd.serve({
    ACCESS_LOG: 'off',
    LIMIT_COST_PER_MINUTE: 'off',
    PROMOTED_FILE: file,
    NODE_OPTIONS: `--max-semi-space-size=16 --import ${pathToFileURL(join(import.meta.dirname, 'support/promoted.js'))}`,
  })
  const tokens = await Promise.all(['v1', 'v2', 'v3', 'v4'].map((id) => crowd.tokenOf(id)))
  const answers = await Promise.all(
    tokens.map(async (token) => {
      for (let index = 1; index < requests / tokens.length; index++)
        await ask(gateway, token, { query })
      return ask(gateway, token, { query })
    }),
  )
  await gateway.stop()
  for (const { text } of answers) expect(text).not.toContain('errors')
  const { bytes, collections } = JSON.parse(readFileSync(file, 'utf8'))
  const promoted = bytes / (requests / 4)
  process.stdout.write(`${what}: ${Math.round(promoted)} bytes of a request are promoted\n`)
  expect(collections).toBeGreaterThan(2)
  expect(promoted).toBeLessThan(MOST_PROMOTED_BYTES)
})
