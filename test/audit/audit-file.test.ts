import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { readFile, rename, rm, symlink, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { AuditFile } from '../../src/audit/audit-file.ts'
import type { AuditRecord } from '../../src/gateway.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'

const folder = mkdtempSync(join(tmpdir(), 'audit-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

/** A file of the test's own, with the log and the metrics that are told of it. */
function open(path = join(folder, `${files++}.log`), mostWaiting?: number) {
  const logged: string[] = []
  const log = createLogger('info', { write: (line) => logged.push(JSON.parse(line).msg) })
  const telemetry = new Telemetry(log, { metrics: true })
  const file = new AuditFile(path, telemetry, mostWaiting)
  const lost = async () =>
    /^identity_gateway_audit_dropped_total (\d+)$/m.exec(
      (await telemetry.metrics?.print()) ?? '',
    )?.[1]
  return { file, path, logged, lost }
}

function record(requestId: string): AuditRecord {
  const caller = { kind: 'user', userId: 'ada' } as const
  return { time: '', requestId, caller, audit: 'pii', userId: 'bob', fields: ['User.email'] }
}

async function idsIn(path: string): Promise<readonly string[]> {
  return idsOf(await readFile(path, 'utf8'))
}

function idsOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).requestId)
}

function numbered(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index))
}

test('records are appended, each a line, and those that wait are written at the end', async () => {
  const first = open()
  for (const id of numbered(0, 1000)) first.file.write(record(id))
  await first.file.close()
  const second = open(first.path)
  second.file.write(record('1000'))
  await second.file.close()
  expect(await idsIn(first.path)).toEqual(numbered(0, 1001))
  expect([...first.logged, ...second.logged]).toEqual([])
})

test('after a rotation, by a new name or by truncating, the file of the path is written', async () => {
  const { file, path, logged } = open()
  file.write(record('0'))
  await expect.poll(() => idsIn(path).catch(() => [])).toEqual(['0'])
  await rename(path, `${path}.1`)
  file.write(record('1'))
  await expect.poll(() => idsIn(path).catch(() => [])).toEqual(['1'])
  await truncate(path)
  file.write(record('2'))
  await expect.poll(() => idsIn(path)).toEqual(['2'])
  await file.close()
  expect(await idsIn(`${path}.1`)).toEqual(['0'])
  expect(logged).toEqual([])
})

test('what a full disk refuses is written once there is room, and the log says both once', async () => {
  const path = join(folder, 'full.log')
  await symlink('/dev/full', path)
  const { file, logged, lost } = open(path)
  file.open()
  for (const id of numbered(0, 300)) file.write(record(id))
  await expect.poll(() => logged).toEqual(['The audit log cannot be written.'])
  await sleep(700)
  for (const id of numbered(300, 600)) file.write(record(id))
  await rm(path)
  await expect.poll(() => idsIn(path).catch(() => []), { timeout: 5000 }).toEqual(numbered(0, 600))
  await expect
    .poll(() => logged)
    .toEqual(['The audit log cannot be written.', 'The audit log goes on.'])
  await file.close()
  expect(await lost()).toBe('0')
})

test('a reader who is slow keeps nobody waiting: what is too much is lost, counted and told once', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const { file, logged, lost } = open(path, 200_000)
  file.open()
  const begun = performance.now()
  for (const id of numbered(0, 5000)) file.write(record(id))
  expect(performance.now() - begun).toBeLessThan(1000)
  await sleep(300)
  for (const id of numbered(5000, 5010)) file.write(record(id))
  expect(logged).toEqual(['Records of the audit log are lost.'])

  let text = ''
  const buffer = Buffer.alloc(1 << 16)
  const read = () => {
    try {
      text += buffer.toString('utf8', 0, readSync(reader, buffer))
    } catch {}
    return text
  }
  await expect
    .poll(
      () => {
        read()
        return logged
      },
      { timeout: 5000 },
    )
    .toContain('The audit log goes on.')
  read()
  const ids = idsOf(text)
  expect(ids.length).toBeGreaterThan(1000)
  expect(ids).toEqual([...ids].sort((one, other) => Number(one) - Number(other)))
  expect(ids.length + Number(await lost())).toBe(5010)

  file.write(record('last'))
  await expect.poll(() => idsOf(read()).at(-1)).toBe('last')
  await file.close()
  expect(logged).toHaveLength(2)
  closeSync(reader)
})

test('the end is not put off for a reader who does not read', async () => {
  const path = join(folder, 'stuck')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const { file, logged, lost } = open(path)
  for (const id of numbered(0, 5000)) file.write(record(id))
  const begun = performance.now()
  await file.close()
  expect(performance.now() - begun).toBeLessThan(3500)
  expect(logged).toEqual(['Records of the audit log are lost.'])
  expect(Number(await lost())).toBeGreaterThan(4000)
  file.write(record('late'))
  expect(Number(await lost())).toBeGreaterThan(4001)
  closeSync(reader)
})
