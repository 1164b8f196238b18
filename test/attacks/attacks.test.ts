import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayUnderTest, gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { type AttackRequest, attacks } from './attacks.ts'

let identity: Identity
let gateway: GatewayUnderTest
let token: string

beforeAll(async () => {
  identity = await startIdentity()
  gateway = gatewayFor(identity)
  token = await (await identity.signUp('Ada')).jwt()
})

afterAll(async () => {
  await gateway.close()
  await identity.stop()
})

async function send({ method = 'POST', search = '', headers, body }: AttackRequest) {
  const response = await gateway.fetch(
    new Request(`http://gateway/graphql${search}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body }),
    }),
  )
  const { errors = [] } = (await response.json()) as {
    errors?: readonly { extensions: { code: string } }[]
  }
  return {
    status: response.status,
    codes: [...new Set(errors.map((error) => error.extensions.code))],
  }
}

describe('is refused with a code:', () => {
  test.each(attacks)('$name', async ({ request, codes }) => {
    const answer = await send(request(0))
    expect(answer.codes).toEqual(codes)
    expect(answer.status).toBeLessThan(500)
  })
})
