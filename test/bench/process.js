import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A server in a process of its own.
 * @param port It is ready when `/ready` says so there, whatever it logs; absent: the first line of its output is its port.
 */
export async function startProcess(command, words, env, port) {
  const child = spawn(command, words, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const found = await Promise.race([
    ended.then(() => Promise.reject(new Error(`${words[0]} ended before it was ready.`))),
    port === undefined ? readPort(child) : whenReady(port),
  ])
  child.stdout.resume()
  return {
    url: `http://127.0.0.1:${found}`,
    /** Seconds of CPU time so far, of all its threads, as the scheduler counts them. */
    cpu: async () => {
      const tasks = await readdir(`/proc/${child.pid}/task`)
      const times = await Promise.all(
        tasks.map((task) => readFile(`/proc/${child.pid}/task/${task}/schedstat`, 'utf8')),
      )
      return times.reduce((sum, time) => sum + Number(time.split(' ')[0]) / 1e9, 0)
    },
    /** Lets the peak begin with what it has now. */
    forgetPeak: () => writeFile(`/proc/${child.pid}/clear_refs`, '5'),
    /** The most memory it has had since, in MiB. */
    peakMemory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024
    },
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function readPort(child) {
  for await (const line of createInterface({ input: child.stdout }))
    if (/^\d+$/.test(line)) return Number(line)
}

async function whenReady(port) {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.ok) return port
    await sleep(50)
  }
}
