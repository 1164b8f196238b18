import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findFreePort } from '../../src/demo/ports.ts'
import { runCli } from '../support/cli.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the demo answers in a checkout whose schema is that of another database', async () => {
  await runCli(['--help'])
  const folder = await mkdtemp(join(tmpdir(), 'demo-'))
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  await cp(join(root, 'package.json'), join(folder, 'package.json'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await mkdir(join(folder, 'prisma'))
  const schema = await readFile(join(root, 'prisma/schema.prisma'), 'utf8')
  const other = schema.replaceAll('@@map("', '@@map("other_').replaceAll('@map("user_id")', '')
  await writeFile(join(folder, 'prisma/schema.prisma'), other)
  const child = spawn(process.execPath, ['dist/cli/main.js', 'demo', '--json'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: String(await findFreePort()) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    const [line] = (await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      ended.then(([code]) => Promise.reject(new Error(`demo ended with ${code}.`))),
    ])) as [string]
    const { graphql, people } = JSON.parse(line) as {
      graphql: string
      people: { token: string; email: string; organizations: unknown[] }[]
    }
    const answer = await fetch(graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${people[0]?.token}` },
      body: JSON.stringify({ query: '{ viewer { email organizations { totalCount } } }' }),
    })
    const { email, organizations } = people[0] ?? { email: '', organizations: [] }
    expect(await answer.json()).toEqual({
      data: { viewer: { email, organizations: { totalCount: organizations.length } } },
    })
  } finally {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true })
  }
})
