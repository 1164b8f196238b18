import { vi } from 'vitest'

/*
 * How long is waited for what has to come true: what a quiet machine does in 10 ms may take a busy one seconds, and nothing
 * is said by how fast it was. `expect.poll` has the same by vitest.config.ts.
 */

const PATIENCE_MS = 10_000
const patient = Symbol.for('identity-gateway.patient')

// Workers are shared by files, each of which runs this.
if (!(patient in vi)) {
  const { waitFor, waitUntil } = vi
  Object.assign(vi, {
    [patient]: true,
    waitFor: (work: () => unknown, options: number | object = PATIENCE_MS) =>
      waitFor(work, options),
    waitUntil: (work: () => unknown, options: number | object = PATIENCE_MS) =>
      waitUntil(work, options),
  })
}
