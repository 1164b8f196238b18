import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Layout } from '../../src/layout/layout.ts'
import { parseLayout } from '../../src/layout/schema-file.ts'

export interface Project {
  readonly schemaPath: string
  schema(): string
  layout(): Layout
  /** Generates the client with Prisma's own command: the files, by their path below the generated folder. */
  generate(): Promise<ReadonlyMap<string, string>>
  remove(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A folder of its own to introspect into, so that the checkout's files stay as they are. */
export async function createProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'introspection-'))
  await mkdir(join(folder, 'prisma'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const schemaPath = join(folder, 'prisma/schema.prisma')
  const schema = () => readFileSync(schemaPath, 'utf8')
  return {
    schemaPath,
    schema,
    layout: () => parseLayout(schema()),
    async generate() {
      const words = ['node_modules/prisma/build/index.js', 'generate', '--schema', schemaPath]
      await promisify(execFile)(process.execPath, words, { cwd: root })
      return readTexts(join(folder, 'src/postgres/generated'))
    },
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
