import { describe, expect, test } from 'vitest'
import { acceptingKeys, createKeys } from '../support/api-keys.ts'
import { createApp } from '../support/oauth.ts'
import { world } from '../support/world.ts'
import { type AttackRequest, attacks } from './attacks.ts'

const { gatewayWith, identity, ada } = await world({ own: true })
const giveKey = await createKeys(identity)
const { app, environment } = await createApp(identity)
const gateway = gatewayWith({ ...environment, ...(await acceptingKeys(identity)) })
const everything = 'identity:read identity:pii permissions:check'
const credentials: readonly Readonly<Record<string, string>>[] = [
  { authorization: `Bearer ${await ada.jwt()}` },
  { authorization: `Bearer ${await app.token(ada, everything)}` },
  { 'x-api-key': await giveKey({ reference_id: ada.id }) },
]

async function send(
  { method = 'POST', search = '', headers, body }: AttackRequest,
  credential: (typeof credentials)[number],
) {
  const response = await gateway.fetch(
    new Request(`http://gateway/graphql${search}`, {
      method,
      headers: { 'content-type': 'application/json', ...credential, ...headers },
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
    for (const credential of credentials) {
      const answer = await send(request(0), credential)
      expect(answer.codes).toEqual(codes)
      expect(answer.status).toBeLessThan(500)
    }
  })
})
