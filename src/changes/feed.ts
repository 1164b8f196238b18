import type {
  ChangeStream,
  Changes,
  Heard,
  Notice,
  NoticeListener,
  Topics,
} from '../domain/changes.ts'
import { GatewayError } from '../domain/errors.ts'
import { Recent } from './recent.ts'
import { decodePosition } from './resume-token.ts'
import { Subscriber } from './subscriber.ts'
import { TopicIndex } from './topic-index.ts'

export interface FeedOptions {
  /** Which of these users are members of one of these organizations. */
  readonly findMembers: (
    organizationIds: readonly string[],
    userIds: readonly string[],
  ) => Promise<readonly string[]>
}

/** A source that is away for longer ends all subscriptions: a stream that says nothing must mean that nothing changed. */
const PATIENCE_MS = 5000

/** Of users who subscribed and organizations, in which they are looked for: of more, all of them are told to read again. */
const MOST_PAIRS = 20_000

/** Passes notices on to the subscriptions that are about them. */
export class ChangeFeed implements Changes, NoticeListener {
  readonly #options: FeedOptions
  readonly #recent = new Recent()
  readonly #open = new Map<Subscriber, Topics>()
  readonly #users = new TopicIndex<Subscriber>()
  readonly #sessions = new TopicIndex<Subscriber>()
  readonly #organizations = new TopicIndex<Subscriber>()
  readonly #everything = new Set<Subscriber>()
  #patience: NodeJS.Timeout | undefined
  #isClosed = false
  /** Whether notices went untold that nobody has been told of. */
  #missed = true

  constructor(options: FeedOptions) {
    this.#options = options
  }

  open(topics: Topics): ChangeStream {
    // What is asked for is looked at first: a token that is none is never any good.
    const position = topics.after == null ? null : decodePosition(topics.after)
    if (this.#isClosed || this.#recent.token === null) throw new GatewayError('UNAVAILABLE', UNTOLD)
    const missed = position && this.#recent.after(position)
    const subscriber = new Subscriber(missed ? 'CHANGED' : 'READ_AGAIN', this.#told)
    for (const notice of missed ?? []) subscriber.wake(notice && withoutSessions(notice))
    this.#open.set(subscriber, topics)
    this.#users.add(topics.user, subscriber)
    this.#sessions.add(topics.sessionsOf, subscriber)
    this.#organizations.add(topics.organization, subscriber)
    if (topics.everything) this.#everything.add(subscriber)
    return subscriber
  }

  told(notice: Notice): void {
    this.#recent.add(notice)
    const { users, sessions, organizations, everyoneIn } = notice
    const concerned = [
      ...this.#users.of(users),
      ...this.#organizations.of(organizations),
      ...this.#organizations.of(everyoneIn),
    ]
    for (const subscriber of concerned) subscriber.wake()
    for (const subscriber of this.#sessions.of(sessions)) {
      const isAboutThem = this.#open.get(subscriber)?.organization === undefined
      if (isAboutThem) subscriber.wake()
      else subscriber.check()
    }
    const forAll = withoutSessions(notice)
    if (Object.keys(forAll).length > 0)
      for (const subscriber of this.#everything) subscriber.wake(forAll)
    if (everyoneIn && this.#users.ids.length > 0) void this.#tellMembers(everyoneIn)
  }

  toldOfAll(): void {
    this.#recent.add(null)
    for (const subscriber of this.#open.keys()) subscriber.wake(null)
  }

  heard(heard: Heard): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#recent.heard(heard)
    if (this.#missed) for (const subscriber of this.#open.keys()) subscriber.wake(null)
    this.#missed = false
  }

  lost(): void {
    this.#missed = true
    this.#recent.forget()
    if (!this.#isClosed) this.#patience ??= setTimeout(() => this.#end(), PATIENCE_MS).unref()
  }

  /** Ends all subscriptions, so that clients ask again elsewhere, and lets nobody begin another. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#patience)
    this.#end()
  }

  /** Has all clients ask again, here or elsewhere. */
  #end(): void {
    for (const subscriber of this.#open.keys())
      subscriber.fail(new GatewayError('UNAVAILABLE', UNTOLD))
  }

  async #tellMembers(organizationIds: readonly string[]): Promise<void> {
    const { ids } = this.#users
    try {
      if (organizationIds.length * ids.length > MOST_PAIRS)
        throw new Error('Too many are asked for.')
      const members = await this.#options.findMembers(organizationIds, ids)
      for (const subscriber of this.#users.of(members)) subscriber.wake()
    } catch {
      for (const subscriber of this.#users.of(ids)) subscriber.wake(null)
    }
  }

  readonly #told = {
    tokenNow: () => this.#recent.token,
    onEnd: (subscriber: Subscriber) => {
      const { user, sessionsOf, organization } = this.#open.get(subscriber) ?? {}
      this.#open.delete(subscriber)
      this.#users.remove(user, subscriber)
      this.#sessions.remove(sessionsOf, subscriber)
      this.#organizations.remove(organization, subscriber)
      this.#everything.delete(subscriber)
    },
  }
}

/** That somebody has signed in or out changes nothing of what services derive from identity. */
function withoutSessions({ sessions: _, ...notice }: Notice): Notice {
  return notice
}

const UNTOLD = 'Changes cannot be told of now: subscribe again soon.'
