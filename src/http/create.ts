import { describeGateway } from './about.ts'
import { clientAddressFinder } from './client-address.ts'
import { Heartbeats } from './event-stream.ts'
import { EventLane } from './events.ts'
import { Front, type FrontOptions } from './front.ts'
import { createJsonLane } from './json.ts'
import { type Room, roomOf } from './values.ts'
import { createYogaLane, type YogaOptions } from './yoga.ts'

type FromConfig =
  | 'endpoint'
  | 'node'
  | 'fetch'
  | 'about'
  | 'addressOf'
  | 'forwardedHeader'
  | 'corsOrigins'
  | 'timeoutMs'

export interface HttpOptions
  extends Omit<FrontOptions, FromConfig>,
    Pick<YogaOptions, 'answer' | 'schema' | 'graphiql' | 'findObstacle' | 'trusted'> {
  readonly http: Pick<FrontOptions, 'corsOrigins' | 'timeoutMs'> & {
    readonly batchLimit: number
    readonly trustProxy: Parameters<typeof clientAddressFinder>[0]
    readonly trustProxyHeader: string
  }
  /** What an honest request has at most. */
  readonly room: Room
}

const ENDPOINT = '/graphql'

/** How requests come in, whichever server brings them, and how they are answered. */
export function createHttp({ http, room, ...options }: HttpOptions) {
  const lane = {
    ...{ answer: options.answer, tell: options.tell, endpoint: ENDPOINT },
    ...roomOf(room),
  }
  const heartbeats = new Heartbeats()
  const yoga = createYogaLane({ ...options, ...lane, batchLimit: http.batchLimit, heartbeats })
  const events = new EventLane({ ...lane, heartbeats, otherwise: yoga.node })
  const front = new Front({
    ...options,
    ...{ endpoint: ENDPOINT, corsOrigins: http.corsOrigins, timeoutMs: http.timeoutMs },
    node: createJsonLane({ ...lane, events, otherwise: yoga.node }),
    fetch: yoga.fetch,
    addressOf: clientAddressFinder(http.trustProxy, http.trustProxyHeader),
    forwardedHeader: http.trustProxyHeader,
    about: describeGateway(ENDPOINT, options.graphiql !== null),
  })
  return { front, close: () => yoga.dispose() }
}
