import { report } from './report.ts'

/** Repeated signals change nothing: npm passes on the one that the terminal has sent already. */
export function stopOnSignal(
  starting: Promise<{ stop(): Promise<void> }>,
  onFailure: (error: unknown) => void = report,
): void {
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    await starting.then((running) => running.stop()).catch(onFailure)
    process.exit()
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)
}
