import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Layout } from '../../src/repositories/layout.ts'

export interface Project {
  readonly schemaPath: string
  /** The generated files, by their path below the generated folder. */
  generated(): ReadonlyMap<string, string>
  layout(): Promise<Layout>
  // The module's type is that of the checkout's own client: only the real names differ.
  client(): Promise<typeof import('../../src/repositories/generated/client.ts')>
  remove(): Promise<void>
}

/** A folder of its own to introspect into, so that the checkout's files stay as they are. */
export async function createProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'introspection-'))
  const generated = join(folder, 'src/repositories/generated')
  await mkdir(join(folder, 'prisma'))
  await symlink(
    fileURLToPath(new URL('../../node_modules', import.meta.url)),
    `${folder}/node_modules`,
  )
  return {
    schemaPath: join(folder, 'prisma/schema.prisma'),
    generated: () => readTexts(generated),
    layout: async () => (await import(join(generated, 'layout.ts'))).layout,
    client: () => import(join(generated, 'client.ts')),
    remove: () => rm(folder, { recursive: true }),
  }
}

function readTexts(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return new Map(
    files
      .filter((file) => file.endsWith('.ts'))
      .sort()
      .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  )
}
