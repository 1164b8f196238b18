import { describe, expect, test } from 'vitest'
import { world } from '../support/world.ts'
import { type AttackRequest, attacks } from './attacks.ts'

const { gateway, ada } = await world()
const token = await ada.jwt()

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
