import { accessControl } from '../../src/demo/access-control.ts'
import { type AuditSink, createGateway, type Gateway, loadConfig } from '../../src/gateway.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import type { Identity } from './identity.ts'
import { SecretWatch } from './planted.ts'

export interface GraphQLAnswer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever the operation selects
  readonly data: any
  readonly errors: readonly {
    readonly message: string
    readonly path?: readonly (string | number)[]
    readonly extensions: { readonly code: string }
  }[]
}

interface AskOptions {
  readonly token?: string | undefined
  readonly variables?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer, with what the log says of whoever asked. */
export interface Told extends Pick<GraphQLAnswer, 'status' | 'data'> {
  /** Of its errors. */
  readonly codes: readonly string[]
  /** The kind of caller. */
  readonly caller?: string
  /** Which check refused the credential. */
  readonly refused?: string
}

export interface GatewayUnderTest extends Gateway {
  readonly graphql: (query: string, options?: AskOptions) => Promise<GraphQLAnswer>
  /** As `graphql`. */
  readonly told: (query: string, options?: AskOptions) => Promise<Told>
  /** Every line that was logged. */
  readonly logged: readonly string[]
}

/**
 * A gateway over the database of an identity, as its read-only role. Without further variables it caches permissions
 * in its own process. Whatever it answers or logs is read for planted secrets: with one, this and every later request
 * throws, and so does `close`.
 * @param audit Takes what is audited.
 */
export function gatewayFor(
  identity: Identity,
  environment: Readonly<Record<string, string>> = {},
  audit?: AuditSink,
): GatewayUnderTest {
  const config = loadConfig({
    DATABASE_URL: identity.readOnlyUrl,
    DATABASE_POOL_SIZE: '4',
    // Tests ask in a minute what nobody does.
    LIMIT_COST_PER_MINUTE: 'off',
    AUTH_ISSUER: identity.betterAuth.issuer,
    DYNAMIC_ACCESS_CONTROL: 'on',
    // What counts hits is not to depend on how busy the machine is.
    REDIS_TIMEOUT_MS: '2000',
    ...environment,
  })
  const logged: string[] = []
  const watch = new SecretWatch()
  const log = createLogger('info', {
    write: (line) => {
      logged.push(line)
      watch.read('A log line', line)
    },
  })
  const gateway = createGateway(
    {
      ...config,
      permissions: {
        ...config.permissions,
        accessControl: config.permissions.accessControl ?? accessControl,
      },
    },
    { log, ...(audit && { audit }) },
  )
  gateway.start()
  const watchedFetch: Gateway['fetch'] = async (request) => {
    const response = await gateway.fetch(request)
    watch.read('An answer', JSON.stringify([...response.headers]))
    // Events have no end that could be waited for.
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response
    watch.read('An answer', await response.clone().text())
    watch.verify()
    return response
  }
  const close = async () => {
    await gateway.close()
    watch.verify()
  }
  const graphql: GatewayUnderTest['graphql'] = async (
    query,
    { token, variables, headers } = {},
  ) => {
    const response = await watchedFetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      }),
    )
    const { data, errors = [] } = (await response.json()) as Partial<GraphQLAnswer>
    return { status: response.status, headers: response.headers, data, errors }
  }
  let closed: Promise<void> | undefined
  return {
    ...gateway,
    fetch: watchedFetch,
    close() {
      closed ??= close()
      return closed
    },
    logged,
    graphql,
    told: async (query, options) => {
      const { status, data, errors } = await graphql(query, options)
      const line = logged.findLast((line) => line.includes('"msg":"request"')) ?? '{}'
      const { caller, refused } = JSON.parse(line)
      return {
        status,
        data,
        codes: errors.map(({ extensions }) => extensions.code),
        caller,
        refused,
      }
    },
  }
}
