import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a line in a terminal, and types this whenever something is asked there. Answers the exit code. */
export async function typeInto(
  line: string,
  asks: RegExp,
  typed: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<number> {
  const words = ['-qec', line, '/dev/null']
  const child = spawn('script', words, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout.on('data', (said) => {
    if (asks.test(said)) child.stdin.write(`${typed}\n`)
  })
  const [code] = await once(child, 'exit')
  return code
}
