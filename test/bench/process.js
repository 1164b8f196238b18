import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'

/** A server in a process of its own, whose first line of output says on which port it listens. */
export async function startProcess(command, words, env) {
  const child = spawn(command, words, {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const port = await Promise.race([
    ended.then(() => Promise.reject(new Error(`${words[0]} ended before it was ready.`))),
    (async () => {
      for await (const line of lines) {
        const port = /^(\d+)$|"url":"http:\/\/[^"]*:(\d+)"/.exec(line)
        if (port) return Number(port[1] ?? port[2])
      }
    })(),
  ])
  child.stdout.resume()
  return {
    url: `http://127.0.0.1:${port}`,
    /** Seconds of CPU time so far. */
    cpu: async () => {
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100
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
