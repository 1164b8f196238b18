import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { recordStatements } from '../support/sql-log.ts'
import { createSigner, type JwksServer, type Signer, startJwksServer } from '../support/tokens.ts'
import { world } from '../support/world.ts'
import { publishKey } from './published-keys.ts'

const { gatewayWith, identity, ada } = await world({ own: true })
let gateway: GatewayUnderTest

/** Moves the clock that keys are held by; that of tokens stays. */
let ahead = 0
const pass = (seconds: number) => {
  ahead += seconds * 1000
}

beforeEach(() => {
  ahead = 0
  const real = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => real() + ahead)
})

afterEach(async () => {
  vi.restoreAllMocks()
  await gateway.close()
})

function tokenOf(signer: Signer): Promise<string> {
  const { issuer } = identity.betterAuth
  const exp = Math.floor(Date.now() / 1000) + 600
  return signer.sign({ iss: issuer, aud: issuer, sub: ada.id, exp })
}

async function statusOf(token: string): Promise<number> {
  return (await gateway.graphql('{ __typename }', { token })).status
}

describe('keys from the jwks table', () => {
  const keyReads = async (work: () => Promise<unknown>) =>
    (await recordStatements(identity.database.name, work)).filter((sql) => sql.includes('jwks'))

  beforeEach(() => {
    gateway = gatewayWith({})
  })

  test('are read once for many requests', async () => {
    const token = await ada.jwt()
    const reads = await keyReads(async () => {
      for (let i = 0; i < 10; i++) expect(await statusOf(token)).toBe(200)
    })
    expect(reads).toHaveLength(1)
    expect(reads[0]).not.toContain('private_key')
  })

  test('that Better Auth adds are found by their first token', async () => {
    await statusOf(await ada.jwt())
    const added = await createSigner('ES256', 'added')
    await publishKey(identity, added)
    pass(1.1)
    expect(await statusOf(await tokenOf(added))).toBe(200)
  })

  test('are read at most once a second for a flood of made-up key ids', async () => {
    const token = await ada.jwt()
    await statusOf(token)
    pass(1.1)
    const made = await createSigner('EdDSA', 'made-up')
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, i) => tokenOf({ ...made, sign: withKid(made, `made-${i}`) })),
    )
    const reads = await keyReads(async () => {
      const flood = tokens.map(statusOf)
      expect(new Set(await Promise.all(flood))).toEqual(new Set([401]))
      for (const each of tokens) expect(await statusOf(each)).toBe(401)
      expect(await statusOf(token)).toBe(200)
    })
    expect(reads.length).toBeLessThanOrEqual(2)
    expect(reads.length).toBeGreaterThan(0)
  })

  test('that were withdrawn stop verifying within a minute', async () => {
    const withdrawn = await createSigner('EdDSA', 'withdrawn')
    await publishKey(identity, withdrawn)
    const token = await tokenOf(withdrawn)
    expect(await statusOf(token)).toBe(200)
    await identity.sql("delete from jwks where id = 'withdrawn'")
    pass(61)
    expect(await statusOf(token)).toBe(401)
  })

  test('verify for thirty days after they have expired, and then no more', async () => {
    const day = 24 * 3600 * 1000
    const [recent, old] = [
      await createSigner('EdDSA', 'recent'),
      await createSigner('EdDSA', 'old'),
    ]
    await publishKey(identity, recent, new Date(Date.now() - 29 * day))
    await publishKey(identity, old, new Date(Date.now() - 31 * day))
    expect(await statusOf(await tokenOf(recent))).toBe(200)
    expect(await statusOf(await tokenOf(old))).toBe(401)
  })

  test('are all read, however many there are, and a broken row spoils none of them', async () => {
    await identity.sql(
      `insert into jwks (id, public_key, private_key, created_at)
       select 'filler-' || i, case when i % 2 = 0 then 'not json' else '[]' end, 'none', '2020-01-01'
       from generate_series(1, 300) i`,
    )
    const last = await createSigner('RS256', 'zzz-last')
    await publishKey(identity, last)
    expect(await statusOf(await tokenOf(last))).toBe(200)
    await identity.sql("delete from jwks where id like 'filler-%'")
  })

  test('are those of the algorithm that older rows do not name', async () => {
    const nameless = await createSigner('EdDSA', 'nameless')
    await publishKey(identity, nameless)
    await identity.sql("update jwks set alg = null where id = 'nameless'")
    expect(await statusOf(await tokenOf(nameless))).toBe(200)
  })
})

describe('keys from a URL', () => {
  let jwks: JwksServer
  let first: Signer

  beforeEach(async () => {
    first = await createSigner('EdDSA', 'first')
    jwks = await startJwksServer(first.publicJwk)
    gateway = gatewayWith({ AUTH_JWKS: jwks.url })
  })
  afterEach(() => jwks.stop())

  test('verify, and are asked for once', async () => {
    const token = await tokenOf(first)
    for (let i = 0; i < 5; i++) expect(await statusOf(token)).toBe(200)
    expect(jwks.requests).toBe(1)
  })

  test('of Better Auth’s own endpoint verify its tokens', async () => {
    const token = await ada.jwt()
    const other = gatewayWith({ AUTH_JWKS: `${identity.betterAuth.url}/jwks` })
    const answer = await other.graphql('{ viewer { id } }', { token })
    await other.close()
    expect(answer.data).toEqual({ viewer: { id: ada.id } })
  })

  test('rotate: a new key is found by its first token, an old one ends within a minute', async () => {
    const second = await createSigner('ES256', 'second')
    const [older, newer] = [await tokenOf(first), await tokenOf(second)]
    expect(await statusOf(older)).toBe(200)
    jwks.keys = [second.publicJwk]
    pass(1.1)
    expect(await statusOf(newer)).toBe(200)
    pass(61)
    expect(await statusOf(older)).toBe(401)
  })

  test('last known go on while the source fails, which is then asked every ten seconds', async () => {
    const token = await tokenOf(first)
    expect(await statusOf(token)).toBe(200)
    jwks.status = 500
    pass(61)
    for (let i = 0; i < 5; i++) expect(await statusOf(token)).toBe(200)
    expect(jwks.requests).toBe(2)
    pass(10.1)
    expect(await statusOf(token)).toBe(200)
    expect(jwks.requests).toBe(3)
    expect(gateway.logged.join()).toContain('signing keys')
    jwks.status = 200
    jwks.keys = []
    pass(10.1)
    expect(await statusOf(token)).toBe(401)
  })

  test('trouble with them is told once with its cause, in the log as by doctor, and so is its end', async () => {
    const told = () =>
      gateway.logged.flatMap((line) => {
        const { msg } = JSON.parse(line) as { msg: string }
        return msg.includes('signing keys') ? [msg] : []
      })
    const place = `No key set can be read from AUTH_JWKS (${jwks.url}). ${new URL(jwks.url).host}`
    const token = await tokenOf(first)
    await statusOf(token)
    jwks.status = 500
    for (let i = 0; i < 3; i++) {
      pass(61)
      await statusOf(token)
    }
    expect(told()).toEqual([
      `The signing keys of Better Auth cannot be had. ${place} answers 500: see its log, and that of a proxy before it.`,
    ])
    jwks.status = 200
    jwks.keys = []
    pass(61)
    expect(await statusOf(token)).toBe(401)
    expect(told().slice(1)).toEqual([
      expect.stringContaining(`${place} answers with a key set that has no key`),
    ])
    jwks.keys = [first.publicJwk]
    pass(61)
    expect(await statusOf(token)).toBe(200)
    expect(told().slice(2)).toEqual(['The signing keys of Better Auth can be had again.'])
  })

  test('that were never had are 503 UNAVAILABLE, not 401, and heal in a second', async () => {
    jwks.status = 500
    const token = await tokenOf(first)
    const flood = await Promise.all(
      Array.from({ length: 20 }, () => gateway.graphql('{ viewer { id } }', { token })),
    )
    for (const answer of flood)
      expect(answer).toMatchObject({
        status: 503,
        errors: [{ extensions: { code: 'UNAVAILABLE' } }],
      })
    expect(jwks.requests).toBe(1)
    expect((await gateway.graphql('{ viewer { id } }')).status).toBe(200)
    jwks.status = 200
    pass(1.1)
    expect(await statusOf(token)).toBe(200)
  })
})

test('a database that cannot be reached is 503 for whoever has a token, before its keys were read', async () => {
  const url = new URL(identity.readOnlyUrl)
  url.port = '1'
  gateway = gatewayWith({ DATABASE_URL: url.href })
  expect(await statusOf(await ada.jwt())).toBe(503)
})

function withKid(signer: Signer, kid: string): Signer['sign'] {
  return (claims, header) => signer.sign(claims, { ...header, kid })
}
