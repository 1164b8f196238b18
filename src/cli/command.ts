import { type ParseArgsConfig, parseArgs } from 'node:util'

/** One command of the program, as main.ts picks it. */
export interface Command {
  /** How it is called: its name and its operands. */
  readonly synopsis: string
  /** What it does; a line for each option. */
  readonly usage: string
  /** @throws WrongUsage before anything is done */
  readonly run: (words: readonly string[]) => Promise<void>
}

/** The program was called wrongly, as the message says. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<Given extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Given }>
>

/** A command takes its own options and no others, and exactly as many operands as its synopsis names. */
export function command<const Given extends Options>(of: {
  readonly synopsis: string
  readonly usage: string
  readonly options: Given
  readonly run: (values: Parsed<Given>['values'], operands: readonly string[]) => Promise<void>
}): Command {
  const { synopsis, usage, options } = of
  const run = async (words: readonly string[]) => {
    const { values, positionals } = parse(words, options)
    const expected = synopsis.match(/<\w+>/g)?.length ?? 0
    if (positionals.length !== expected)
      throw new WrongUsage(`This command is called so: ${synopsis} [options]`)
    await of.run(values, positionals)
  }
  return { synopsis, usage, run }
}

function parse<Given extends Options>(words: readonly string[], options: Given): Parsed<Given> {
  try {
    return parseArgs({ args: [...words], allowPositionals: true, options })
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error))
  }
}
