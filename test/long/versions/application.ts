import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folderOf } from './versions.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface Application {
  readonly folder: string
  /** The module of an export of the gateway's package, as this application finds it. */
  load(path: string): Promise<Readonly<Record<string, unknown>>>
  write(file: string, text: string): Promise<void>
  remove(): Promise<void>
}

/** A folder with the gateway's package as it is built, beside a version of Better Auth. */
export async function createApplication(name: string): Promise<Application> {
  const folder = await mkdtemp(join(tmpdir(), 'application-'))
  const modules = join(folder, 'node_modules')
  const gateway = join(modules, 'identity-gateway')
  await mkdir(gateway, { recursive: true })
  for (const part of ['package.json', 'dist'])
    await cp(join(root, part), join(gateway, part), { recursive: true })
  const { dependencies, exports } = JSON.parse(
    await readFile(join(gateway, 'package.json'), 'utf8'),
  ) as {
    readonly dependencies: Readonly<Record<string, string>>
    readonly exports: Readonly<Record<string, { readonly default: string }>>
  }
  const link = async (from: string, to: string) => {
    await mkdir(dirname(join(modules, to)), { recursive: true })
    await symlink(from, join(modules, to))
  }
  for (const dependency of [...Object.keys(dependencies), '@types'])
    await link(join(root, 'node_modules', dependency), dependency)
  await link(folderOf(name), 'better-auth')
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  return {
    folder,
    load: (path) => import(join(gateway, exports[path]?.default ?? path)),
    write: (file, text) => writeFile(join(folder, file), text),
    remove: () => rm(folder, { recursive: true }),
  }
}
