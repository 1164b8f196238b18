import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findFreePort } from '../../dist/demo/ports.js'

/** A `redis-server` from the PATH, without a disk. */
export async function startRedis() {
  const port = await findFreePort()
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '']
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const text of child.stdout.setEncoding('utf8'))
    if (text.includes('Ready to accept')) break
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}
