import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Sends requests for so many seconds from a process of its own, `wrk` (a Debian package).
 * @returns {Promise<{ rate: number, median: number, p99: number, requests: number }>} Requests a second; milliseconds.
 */
export async function load(url, requests, { connections, seconds }) {
  const file = join(tmpdir(), `bench-${process.pid}-${Math.random().toString(36).slice(2)}`)
  await writeFile(file, requests.map(({ auth = '', body = '' }) => `${auth}\t${body}`).join('\n'))
  try {
    const script = join(import.meta.dirname, 'load.lua')
    const { stdout } = await promisify(execFile)('wrk', [
      ...['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url],
      ...['--', file, String(Math.floor(Math.random() * 1e9))],
    ])
    const [count, micros, median, p99, errors] = stdout
      .trim()
      .split('\n')
      .at(-1)
      .split(' ')
      .map(Number)
    if (errors > 0) throw new Error(`${errors} requests to ${url} failed.`)
    return { rate: count / (micros / 1e6), median, p99, requests: count }
  } finally {
    await rm(file)
  }
}

/** Sends each request once, so that what is remembered of tokens is there before anything is measured. */
export async function sendEach(url, requests) {
  const left = requests.values()
  const send = async () => {
    for (const request of left) await (await ask(url, request)).arrayBuffer()
  }
  await Promise.all(Array.from({ length: 8 }, send))
}

/** Sends one request. */
export function ask(url, { auth, body }) {
  return fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', ...(auth ? { authorization: auth } : {}) },
    ...(body ? { body } : {}),
  })
}
