/** What was changed, in ids, as far as whoever tells of it knows. What became of it has to be read. */
export interface Notice {
  /** Whose account, memberships or permissions. */
  readonly users?: readonly string[]
  /** Whose sessions. */
  readonly sessions?: readonly string[]
  /** Whose members, roles, teams, name or other data. */
  readonly organizations?: readonly string[]
  /** Where what members may do has changed, of members who are not named. */
  readonly everyoneIn?: readonly string[]
}

/** How far a source has told, by a clock of its own. In milliseconds. */
export interface Heard {
  /** Times of other clocks say nothing of this one. */
  readonly clock: string
  /** Everything that was committed since then was or will be told. */
  readonly sinceMs: number
  /** Everything that was committed until then, but for what is still on its way, has been told. */
  readonly untilMs: number
}

/** Where notices arrive, whoever sends them. */
export interface NoticeListener {
  told(notice: Notice): void
  /** More has changed than is told one by one. */
  toldOfAll(): void
  heard(heard: Heard): void
  /** Notices may go untold until the next `heard`. */
  lost(): void
}

export const changeKinds = ['READ_AGAIN', 'CHANGED', 'ENDED'] as const
export type ChangeKind = (typeof changeKinds)[number]

/** One event of a subscription. */
export interface Change {
  readonly kind: ChangeKind
  readonly userIds: readonly string[]
  readonly organizationIds: readonly string[]
  /** Where the next subscription may go on; `null`: nowhere. */
  readonly resumeToken: string | null
  /** Whether it is the one with which a subscription begins, which is refused as a query would be. */
  readonly isFirst: boolean
  /**
   * Whether nothing has changed but sessions of whoever subscribed, on one of which the subscription may hang, and it is
   * about something else.
   */
  readonly isOfSessions: boolean
  /** Makes it the last one. */
  end(): void
}

/** What a subscription is about. */
export interface Topics {
  /** The user whose account, memberships and permissions. */
  readonly user?: string
  /** The user whose sessions: it may hang on one of them, also where it is about an organization. */
  readonly sessionsOf?: string
  readonly organization?: string
  /** Everybody's accounts, memberships and permissions. */
  readonly everything?: true
  /** With `everything`: where an earlier subscription ended. */
  readonly after?: string | null
}

/** Changes as they come, several at once where they come fast. */
export interface ChangeStream extends AsyncIterableIterator<Change> {
  /** As if something had changed. */
  wake(): void
  return(): Promise<IteratorResult<Change>>
}

/** Where changes can be waited for. */
export interface Changes {
  /**
   * The first is there at once: `READ_AGAIN`, or `CHANGED` where it goes on after another. Rejects when nobody knows
   * any more whether something changes.
   * @throws GatewayError BAD_USER_INPUT for an `after` that was never given out, UNAVAILABLE while changes are not told.
   */
  open(topics: Topics): ChangeStream
}
