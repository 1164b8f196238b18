import { ConfigError } from '../config/config.ts'
import { WrongUsage } from './command.ts'

/** Says what went wrong, without a stack, and how the process is to end. */
export function report(error: unknown, say = toStandardError): void {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof ConfigError || error instanceof WrongUsage ? 2 : 1
}

function toStandardError(text: string): void {
  process.stderr.write(`${text}\n`)
}
