#!/usr/bin/env node
import { version } from '../telemetry/version.ts'
import { accessControl } from './access-control.ts'
import { type Command, WrongUsage } from './command.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { introspect } from './introspect.ts'
import { permissions, permissionsTest } from './permissions.ts'
import { report } from './report.ts'
import { schema } from './schema.ts'
import { serve } from './serve.ts'

/** In the order in which they are told. A file of a command is small: what it works with is imported when it runs. */
const commands = [
  ...[serve, demo, introspect, doctor, schema, accessControl, permissions, permissionsTest],
]

async function main(given: readonly string[]): Promise<void> {
  const [name = ''] = given
  if (isHelp(name)) return print(usageOfAll())
  if (name === '--version') return print(`${version}\n`)
  // Of those with these first words, the one with most.
  const command = commands.findLast(({ synopsis }) =>
    namesOf(synopsis).every((word, index) => given[index] === word),
  )
  if (!command) throw new WrongUsage(name === '' ? 'A command is missing.' : `No command: ${name}`)
  const words = given.slice(namesOf(command.synopsis).length)
  if (words.some(isHelp)) return print(usageOf(command))
  await command.run(words)
}

/** The words that a command is called by, before its operands. */
function namesOf(synopsis: string): readonly string[] {
  return synopsis.split(' ').filter((word) => !word.startsWith('<'))
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

function print(text: string): void {
  process.stdout.write(text)
}

function usageOf({ synopsis, usage }: Command): string {
  return `Usage: identity-gateway ${synopsis}\n\n${usage}\n`
}

function usageOfAll(): string {
  return `Usage: identity-gateway <command>

${commands.map(paragraphOf).join('\n')}

  <command> --help   Print how one command is used.
  --version          Print the version of this package.

Ends with 0 when all went well, 1 when something failed, 2 when it was called wrongly.
`
}

const COLUMN = 15

/** The name on the left, what it does on the right. */
function paragraphOf({ synopsis, usage }: Command): string {
  const head = `  ${synopsis} `.padEnd(COLUMN)
  const text = usage.replaceAll(/^/gm, ' '.repeat(COLUMN))
  return head.length > COLUMN ? `${head.trimEnd()}\n${text}` : head + text.slice(COLUMN)
}

await main(process.argv.slice(2)).catch((error) => {
  report(error)
  if (error instanceof WrongUsage) process.stderr.write(`\n${usageOfAll()}`)
  process.exit()
})
