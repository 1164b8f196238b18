import { type Audit, serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Serving, startServing } from '../support/cli.ts'
import { useRedis } from '../support/redis.ts'
import { world } from '../support/world.ts'

const { environment: usual, identity, ada } = await world()
const authorization = `Bearer ${await ada.jwt()}`
const servers: Serving[] = []

afterAll(() => Promise.all(servers.map((server) => server.signal('SIGTERM'))))

// The server as it is shipped, in production, with a token and every protection but for TRUSTED_DOCUMENTS_FILE, which
// refuses the documents of the audits, as it should.

async function serve(environment: Readonly<Record<string, string>>): Promise<Serving> {
  const server = await startServing({
    NODE_ENV: 'production',
    ...usual,
    DATABASE_STATEMENT_TIMEOUT_MS: '10000',
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: identity.betterAuth.secret,
    BETTER_AUTH_URL: identity.betterAuth.url,
    REDIS_URL: useRedis().url,
    CORS_ORIGINS: 'https://app.example.com',
    LIMIT_BATCH: '2',
    ...environment,
  })
  servers.push(server)
  return server
}

const asksForTypes = 'it asks __type, and production answers no introspection'
const cases = {
  'with introspection': { environment: { INTROSPECTION: 'on' }, waived: {} },
  'without introspection': {
    environment: {},
    waived: {
      '2EA1': asksForTypes,
      '28B9': asksForTypes,
      D6D5: asksForTypes,
      '6A70': asksForTypes,
    },
  },
}

describe.each(Object.entries(cases))('%s', (_, { environment, waived }) => {
  let serving: Serving
  beforeAll(async () => {
    serving = await serve(environment)
  })

  const audits: readonly Audit[] = serverAudits({
    url: () => `${serving.url}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init.headers)), authorization },
      }),
  })
  const required = audits.filter(({ id }) => !Object.hasOwn(waived, id))

  test(`all 61 audits are known, and ${Object.keys(waived).length} waived`, () => {
    expect(audits).toHaveLength(61)
    expect(required).toHaveLength(61 - Object.keys(waived).length)
  })

  test.each(required.map((audit) => [audit.id, audit.name, audit] as const))(
    '%s %s',
    async (_id, _name, audit) => {
      const result = await audit.fn()
      expect(result.status === 'ok' ? 'ok' : `${result.status}: ${result.reason}`).toBe('ok')
    },
  )
})
