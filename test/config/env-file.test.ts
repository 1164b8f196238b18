import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('node --env-file reads values as docs/configuration.md warns', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'env-file-'))
  try {
    const file = join(folder, 'gateway.env')
    await writeFile(file, 'A=pass#word\nB="pass#word"\nC="two\\nlines"\nD=pass%23word\n')
    const print =
      'console.log(JSON.stringify(["A", "B", "C", "D"].map((name) => process.env[name])))'
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`--env-file=${file}`, '-e', print],
      { env: {} },
    )
    expect(JSON.parse(stdout)).toEqual(['pass', 'pass#word', 'two\nlines', 'pass%23word'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
