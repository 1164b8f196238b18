import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Program {
  /** Everything that it has written. */
  readonly lines: readonly string[]
  stop(): Promise<void>
}

/** Runs a program of Node.js until it has written what fits. Answers what of it fitted, and how to end it. */
export async function startProgram(
  words: readonly string[],
  { cwd, env, until }: { cwd: string; env: Readonly<Record<string, string>>; until: RegExp },
): Promise<Program & { readonly said: string }> {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, words, {
    cwd,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const closed = once(child, 'close')
  const said = await new Promise<string>((resolve, reject) => {
    const read = (line: string) => {
      lines.push(line)
      const [, fitting] = until.exec(line) ?? []
      if (fitting) resolve(fitting)
    }
    createInterface({ input: child.stdout }).on('line', read)
    createInterface({ input: child.stderr }).on('line', read)
    void closed.then(([code]) => reject(new Error(`ended with ${code}: ${lines.join('\n')}`)))
  })
  return {
    lines,
    said,
    stop: async () => {
      child.kill()
      await closed
    },
  }
}
