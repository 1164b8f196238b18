import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BrowserContext, chromium } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

export interface Browser {
  readonly context: BrowserContext
  close(): Promise<void>
}

/** Debian's Chromium with an empty profile, which asks nobody for anything by itself. */
export async function startBrowser(): Promise<Browser> {
  await installChromium()
  const profile = await mkdtemp(join(tmpdir(), 'identity-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

/** As root on Debian or Ubuntu, installs it. */
async function installChromium(): Promise<void> {
  if (existsSync(executablePath)) return
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw new Error(`These tests need ${executablePath}: apt-get install chromium.`)
  process.stderr.write(`No ${executablePath}: installing it with apt-get.\n`)
  await install().catch(async () => {
    await aptGet('update', '-qq')
    await install()
  })
}

function install(): Promise<unknown> {
  return aptGet('install', '-y', '-qq', '--no-install-recommends', 'chromium')
}

function aptGet(...words: string[]): Promise<unknown> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return promisify(execFile)('apt-get', words, { env, timeout: 280_000 })
}
