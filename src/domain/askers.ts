/** What is known of the requests that something is read for. */
export interface Askers {
  /** Of the one that asks now: what it waits for ends when this is aborted. */
  readonly signal: () => AbortSignal | undefined
  /** Whose share of what is bounded the one that asks now uses. */
  readonly share: () => string
  /** Tells when the one that asks now ends early. Returns what makes it not tell. */
  readonly whenEnded: (tell: (reason: unknown) => void) => () => void
  /** What may have been begun for another, as far as the one that asks now waits for it. */
  readonly waitFor: <Result>(work: Promise<Result>) => Promise<Result>
  /** Runs what belongs to several, with one's share. It ends when the signal is aborted, and not with who began it. */
  readonly runShared: <Result>(
    work: () => Result,
    how?: { readonly share?: string; readonly signal?: AbortSignal },
  ) => Result
  /** That PostgreSQL may answer one statement with. */
  readonly mostBytes: number
  /** Gives what is told how much is being read, for the one that asks now. */
  readonly onBytes: () => (bytes: number) => void
}
