import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const stamp = `${here}node_modules/installed-lock.json`

/** Routers and composers are 150 MB that nothing else needs, so only these tests install them, once for each lock file. */
export async function setup(): Promise<void> {
  const lock = await readFile(`${here}package-lock.json`, 'utf8')
  const installed = await readFile(stamp, 'utf8').catch(() => null)
  if (installed === lock) return
  process.stderr.write('Installing routers and composers: npm ci in test/federation.\n')
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here })
  await writeFile(stamp, lock)
}
