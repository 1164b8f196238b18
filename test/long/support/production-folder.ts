import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runCli } from '../../support/cli.ts'
import { valuesOf } from '../../support/dockerfile.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A new folder with what the image has in /app, made by the commands of the Dockerfile. */
export async function createProductionFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'production-'))
  // The command line builds dist when it is not there.
  await runCli(['--help'])
  for (const name of ['package.json', 'package-lock.json', 'dist', 'prisma', '.npmrc'])
    if (existsSync(join(root, name)))
      await cp(join(root, name), join(folder, name), { recursive: true })
  const environment = { ...process.env, npm_config_prefer_offline: 'true' }
  for (const command of [...valuesOf('RUN', 'served'), ...valuesOf('RUN', 'dependencies')])
    await promisify(execFile)('sh', ['-c', command], { cwd: folder, env: environment })
  return folder
}
