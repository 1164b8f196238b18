import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Packs the gateway as it would be published. Answers the path of the tarball, and of each file in it. */
export async function packInto(
  directory: string,
): Promise<{ readonly tarball: string; readonly contents: readonly string[] }> {
  // Built before the tests; building anew would pull the commands away under tests that run beside this one.
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory]
  const { stdout } = await promisify(execFile)('npm', words, { cwd: root })
  const [packed] = JSON.parse(stdout)
  return {
    tarball: join(directory, packed.filename),
    contents: packed.files.map(({ path }: { path: string }) => path),
  }
}

/** Installs packages and tarballs beside what is installed in a project. */
export async function installInto(project: string, ...words: readonly string[]): Promise<void> {
  const all = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...words]
  await promisify(execFile)('npm', all, { cwd: project })
}
