import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const policy = '/usr/sbin/policy-rc.d'

/** As root on Debian or Ubuntu, installs a program without starting its service. Answers whether it could. */
export async function installProgram(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  process.stderr.write(`No ${name} on the PATH: installing it with apt-get.\n`)
  const hadPolicy = existsSync(policy)
  // Debian starts a service as soon as it is installed, unless this file says no.
  if (!hadPolicy) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install(name).catch(async () => {
      await aptGet('update', '-qq')
      await install(name)
    })
    return true
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return false
  } finally {
    if (!hadPolicy) await rm(policy, { force: true })
  }
}

function install(name: string): Promise<unknown> {
  return aptGet('install', '-y', '-qq', '--no-install-recommends', name)
}

function aptGet(...words: string[]): Promise<unknown> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return promisify(execFile)('apt-get', words, { env, timeout: 180_000 })
}
