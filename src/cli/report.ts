import { ConfigError } from '../config/config.ts'
import { WrongUsage } from './command.ts'

/** Says what went wrong, without a stack, and how the process is to end. */
export function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = error instanceof ConfigError || error instanceof WrongUsage ? 2 : 1
}
