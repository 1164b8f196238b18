import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { createSmallWorld, type SmallWorld } from '../support/suite.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'

/* Whoever owns the database alters a table while the gateway is asked without a pause. */

let identity: Identity
let world: SmallWorld
let services: ServiceIssuer
let gateway: GatewayUnderTest

beforeAll(async () => {
  identity = await startIdentity()
  world = await createSmallWorld(identity)
  services = await startServiceIssuer()
  gateway = gatewayFor(identity, {
    DATABASE_POOL_SIZE: '10',
    SERVICE_ISSUER: services.issuer,
    SERVICE_AUDIENCE: services.audience,
    SERVICE_JWKS_URL: services.jwksUrl,
  })
})

afterAll(async () => {
  await gateway?.close()
  await services?.stop()
  await identity?.stop()
})

test('changing the type of columns fails no request, before, during and after', async () => {
  const token = await services.token()
  const query = `query ($id: ID!) {
    user(id: $id) { name email memberships { totalCount nodes { roles organization { name } } } }
  }`
  const ask = async () => {
    const { data, errors } = await gateway.graphql(query, {
      token,
      variables: { id: world.bob.id },
    })
    return { data, errors }
  }
  const before = await ask()
  expect(before).toMatchObject({ errors: [], data: { user: { name: world.bob.name } } })
  for (const type of ['varchar(200)', 'text', 'varchar(300)', 'text']) {
    const alter = identity.sql(`
      alter table users alter column name type ${type};
      alter table members alter column role type ${type};
      alter table organizations alter column name type ${type}`)
    for (const _round of [1, 2, 3])
      for (const answer of await Promise.all(Array.from({ length: 40 }, ask)))
        expect(answer).toEqual(before)
    await alter
    for (const answer of await Promise.all(Array.from({ length: 40 }, ask)))
      expect(answer).toEqual(before)
  }
})
