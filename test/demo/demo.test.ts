import { createServer } from 'node:net'
import { parse } from 'graphql'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { type DemoGatewaySettings, type DemoOptions, startDemo } from '../../src/demo/demo.ts'
import { close, findFreePort, listen } from '../../src/demo/ports.ts'
import { toJsonLine, toText } from '../../src/demo/print.ts'
import { layout, prismaSchema } from '../support/layout.ts'
import { useRedis } from '../support/redis.ts'

// Thirty passwords are hashed for each demo: seconds when the machine is idle, many more when it is not.
vi.setConfig({ testTimeout: 90_000 })

/** The composition is what is tested here: the gateway is whatever it is told to start. */
function prepare(options: Partial<DemoOptions> = {}) {
  const told: DemoGatewaySettings[] = []
  const stopped: string[] = []
  const start = () =>
    startDemo({
      redisUrl: useRedis().url,
      introspect: async () => ({ layout, prismaSchema }),
      log: () => {},
      startGateway: async (settings) => {
        told.push(settings)
        return {
          url: `http://127.0.0.1:${settings.environment.PORT}/graphql`,
          stop: async () => {
            stopped.push(await canConnect(settings.environment.DATABASE_URL))
          },
        }
      },
      ...options,
    })
  return { start, told, stopped }
}

test('the demo says where everything is, and stops it from the last part to the first', async () => {
  const port = await findFreePort()
  const { start, told, stopped } = prepare({ port })
  const demo = await start()
  const [settings] = told
  const line = toJsonLine(demo)
  const facts = JSON.parse(line)

  expect(line).not.toContain('\n')
  expect(Object.keys(facts).sort()).toEqual(
    ['graphql', 'auth', 'database', 'databaseOwner', 'redis', 'service', 'people'].sort(),
  )
  expect(facts.graphql).toBe(`http://127.0.0.1:${port}/graphql`)
  expect(facts.database).toBe(settings?.environment.DATABASE_URL)
  expect(facts.redis).toBe(useRedis().url)
  expect(Object.keys(facts.service)).toEqual(['token'])
  expect(Object.keys(facts.people[0]).sort()).toEqual(
    ['name', 'email', 'password', 'userId', 'token', 'platformAdmin', 'organizations'].sort(),
  )
  expect(Object.keys(facts.people[0].organizations[0]).sort()).toEqual(
    ['id', 'name', 'roles', 'slug'].sort(),
  )
  expect((await fetch(`${facts.auth}/ok`)).status).toBe(200)
  expect(decodeJwt(facts.people[0].token).iss).toBe(settings?.environment.AUTH_ISSUER)
  expect(await canConnect(facts.databaseOwner)).toBe('connected')

  const text = toText(demo)
  expect(screenLines(text)).toBeLessThanOrEqual(40)
  expect(text).toContain(`authorization: Bearer ${facts.people[0].token}`)
  for (const person of ['Amara Okafor', 'Mei Tanaka', 'Robin Ellis']) expect(text).toContain(person)
  expect(text).toContain(facts.people[0].password)
  expect(text).toContain(`Open ${facts.graphql}`)

  const {
    SERVICE_ISSUER: issuer = '',
    SERVICE_AUDIENCE: audience = '',
    SERVICE_JWKS_URL: jwksUrl = '',
  } = settings?.environment ?? {}
  const keys = createRemoteJWKSet(new URL(jwksUrl))
  const { payload } = await jwtVerify(facts.service.token, keys, { issuer, audience })
  expect(payload.scope).toBe('identity:read identity:pii permissions:check')
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(12 * 3600)
  expect(issuer).not.toBe(settings?.environment.AUTH_ISSUER)

  const callers = settings?.callers ?? []
  expect(callers[0]).toMatchObject({
    name: 'Amara Okafor',
    groups: {
      'Harbor Logistics': 'member, auditor',
      'Northlight Clinic': 'admin',
      'Tidewater Foundation': 'owner',
    },
  })
  expect(callers[1]?.groups).toEqual({ 'The whole platform': 'admin', 'Quarry Robotics': 'member' })
  for (const { groups } of callers) expect(Object.keys(groups ?? {})).not.toEqual([])
  expect(callers.map(({ token }) => token)).toEqual([
    ...demo.people.map(({ token }) => token),
    facts.service.token,
    null,
  ])

  for (const { title, query, variables } of settings?.samples ?? []) {
    const required = parse(query).definitions.flatMap((definition) =>
      definition.kind === 'OperationDefinition'
        ? (definition.variableDefinitions ?? [])
            .filter(({ type, defaultValue }) => type.kind === 'NonNullType' && !defaultValue)
            .map(({ variable }) => variable.name.value)
        : [],
    )
    expect(Object.keys(JSON.parse(variables)), title).toEqual(expect.arrayContaining(required))
  }

  await demo.stop()
  expect(stopped).toEqual(['connected'])
  expect(await canConnect(facts.databaseOwner)).toBe('ECONNREFUSED')
  await expect(fetch(`${facts.auth}/ok`)).rejects.toThrow()
})

test('a port that was asked for and is taken is an error that says what to do', async () => {
  const other = createServer()
  const port = await listen(other, 0, '127.0.0.1')
  const { start, told } = prepare({ port })
  await expect(start()).rejects.toThrow(`Port ${port} is taken: set PORT to another one.`)
  expect(told).toEqual([])
  await close(other)
})

test('when the gateway cannot start, nothing goes on running', async () => {
  let databaseUrl = ''
  const { start } = prepare({
    startGateway: async (settings) => {
      databaseUrl = settings.environment.DATABASE_URL ?? ''
      throw new Error('no gateway')
    },
  })
  await expect(start()).rejects.toThrow('no gateway')
  expect(await canConnect(databaseUrl)).toBe('ECONNREFUSED')
})

/** How many lines of a terminal with 100 columns it takes. */
function screenLines(text: string): number {
  return text
    .split('\n')
    .reduce((lines, line) => lines + Math.max(1, Math.ceil(line.length / 100)), 0)
}

async function canConnect(url = ''): Promise<string> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    await client.end()
    return 'connected'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
