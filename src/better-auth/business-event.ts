import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'

/** What happened in a service that the identity service should know of, in the words of CloudEvents. */
export interface BusinessEvent {
  /** What kind of thing happened, for example `com.example.employee.hired`. */
  readonly type: string
  /** The service that says so, as a URI reference: `/payroll`. */
  readonly source: string
  /** Whom or what it happened to. */
  readonly subject?: string
  /** Anything that JSON can say. */
  readonly data: unknown
  /**
   * The same for the same event (random). Whoever emits again after a failure gives the id again; `source` and `id`
   * together tell consumers what they handled already.
   */
  readonly id?: string
  /** When it happened (now). */
  readonly time?: Date
}

export interface BusinessEventStream {
  /** The key of the stream (`identity:business-events`). */
  readonly stream?: string
  /** About how many events the stream keeps (100,000); a consumer that is further behind loses the oldest. */
  readonly maxLength?: number
}

export const BUSINESS_EVENTS = 'identity:business-events'

/**
 * Appends a CloudEvent 1.0 in JSON to a Redis stream, as the field `event`. Answers its id.
 * @throws Error when the event says nothing, or when Redis may not have it: emit again with the same id.
 */
export async function emitBusinessEvent(
  redis: Pick<Redis, 'xadd'>,
  event: BusinessEvent,
  { stream = BUSINESS_EVENTS, maxLength = 100_000 }: BusinessEventStream = {},
): Promise<string> {
  const { type, source, subject, data, id = randomUUID(), time = new Date() } = event
  if (type === '' || source === '' || id === '')
    throw new TypeError('A business event needs a type, a source and an id.')
  const cloudEvent = {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    time: time.toISOString(),
    datacontenttype: 'application/json',
    data,
  }
  await redis.xadd(stream, 'MAXLEN', '~', maxLength, '*', 'event', JSON.stringify(cloudEvent))
  return id
}
