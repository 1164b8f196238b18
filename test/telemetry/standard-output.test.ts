import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const LINES = 3000
const log = new URL('../../dist/telemetry/log.js', import.meta.url)

test.each([
  ['ends by itself', ''],
  ['is ended', 'process.exit(0)'],
  ['ends with an error that nobody catches', "throw new Error('uncaught')"],
])('every line is written, in order, when the process %s', async (_how, end) => {
  // Of two loggers: they share what is written to.
  const program = `import { createLogger } from '${log}'
    const logs = [createLogger('info'), createLogger('info')]
    for (let nth = 0; nth < ${LINES}; nth++) logs[nth % 2].info({ nth }, 'é'.repeat(nth % 60))
    ${end}`
  const words = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    maxBuffer: 2 ** 26,
  }).catch((ended: { readonly stdout: string }) => ended)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).nth)).toEqual(
    Array.from({ length: LINES }, (_, nth) => nth),
  )
})

test('a line that nothing follows is written soon', async () => {
  const program = `import { createLogger } from '${log}'
    createLogger('info').info('alone')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1500)`
  const words = ['--input-type=module', '--eval', program]
  const ended = promisify(execFile)(process.execPath, words)
  const { stdout } = await ended.catch((error: { readonly stdout: string }) => error)
  expect(JSON.parse(stdout)).toMatchObject({ msg: 'alone' })
})
