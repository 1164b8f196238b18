import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Folders of tests with packages of their own: which nothing else needs, so that only the long tests install them. */
const folders = [
  'adapters',
  'bff',
  'clients',
  'deploy',
  'documentation',
  'federation',
  'hosting',
  'oauth',
  'plugins',
  'schema',
  'versions',
]

export async function setup(): Promise<void> {
  for (const folder of folders)
    await install(fileURLToPath(new URL(`../../${folder}`, import.meta.url)))
}

/** Once for each lock file. */
export async function install(cwd: string): Promise<void> {
  const stamp = `${cwd}/node_modules/installed-lock.json`
  const lock = await readFile(`${cwd}/package-lock.json`, 'utf8')
  const installed = await readFile(stamp, 'utf8').catch(() => null)
  if (installed === lock) return
  process.stderr.write(`npm ci in ${cwd}\n`)
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd })
  await writeFile(stamp, lock)
}
