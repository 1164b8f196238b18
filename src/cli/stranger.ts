import { Console } from 'node:console'

/**
 * Runs what loads a module of the application, and ends the process: such a module may hold connections open, which nobody
 * waits for. Standard output is for what was asked, so what the module logs goes to standard error, as does what fails of
 * which nobody asked anything, such as a connection to its database.
 */
export async function runStranger(run: () => Promise<string>): Promise<never> {
  globalThis.console = new Console(process.stderr)
  const tell = (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  }
  process.on('unhandledRejection', tell)
  process.on('uncaughtException', tell)
  const text = await run()
  // Until whoever reads has it.
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  process.exit()
}
