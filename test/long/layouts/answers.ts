import { codesOf } from '../../support/codes.ts'
import { type GatewayUnderTest, gatewayFor } from '../../support/gateway.ts'
import type { Identity } from '../../support/identity.ts'
import type { ServiceIssuer } from '../../support/tokens.ts'
import { origin, secret } from './better-auth.ts'
import type { Prepared } from './prepare.ts'
import { type Question, questions, walks } from './questions.ts'

export function gatewayOver(prepared: Prepared, services: ServiceIssuer): GatewayUnderTest {
  const identity = {
    readOnlyUrl: prepared.environment.DATABASE_URL,
    betterAuth: { issuer: origin },
  }
  return gatewayFor(identity as Identity, environmentOf(prepared, services))
}

export function environmentOf(prepared: Prepared, services: ServiceIssuer): Record<string, string> {
  return {
    ...prepared.environment,
    AUTH_ISSUER: origin,
    AUTH_SESSIONS: 'on',
    BETTER_AUTH_SECRET: secret,
    DYNAMIC_ACCESS_CONTROL: 'on',
    ...services.environment,
  }
}

export interface Asking {
  readonly prepared: Prepared
  readonly gateway: Pick<GatewayUnderTest, 'graphql'>
  /** By who asks. */
  readonly tokens: Readonly<Record<string, string>>
}

export async function asking(
  prepared: Prepared,
  gateway: Asking['gateway'],
  services: ServiceIssuer,
): Promise<Asking> {
  const tokens: Record<string, string> = { service: await services.token() }
  // Better Auth lets a banned person in no more, but a token from before the ban lives on.
  for (const [name, headers] of Object.entries(prepared.world.headers))
    tokens[name] = (await prepared.auth.api.getToken({ headers })).token
  return { prepared, gateway, tokens }
}

/** What everybody is answered, by the question's name. */
export async function answer(
  asking: Asking,
  asked: (question: Question) => boolean,
): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {}
  for (const [name, question] of Object.entries(questions))
    if (asked(question)) {
      const { data, ...rest } = await ask(asking, question, question.query)
      answers[name] = { data, codes: codesOf({ data, ...rest }) }
    }
  for (const [name, { path, size, ...walk }] of Object.entries(walks))
    if (asked(walk)) {
      const forwards = await walkThrough(asking, { ...walk, path }, 'first', 'after')
      const backwards = await walkThrough(asking, { ...walk, path }, 'last', 'before')
      answers[`${name}, walked`] = { size, forwards, isReverse: isReverse(forwards, backwards) }
    }
  return answers
}

/** Every page of a list, from one of its ends. */
export async function walkThrough(
  asking: Asking,
  { path, ...walk }: Question & { readonly path: readonly string[] },
  size: 'first' | 'last',
  from: 'after' | 'before',
): Promise<readonly unknown[]> {
  const met: unknown[] = []
  for (let cursor: string | null = null; ; ) {
    const query = walk.query
      .replace('query ($page, ', `query ($cursor: String, `)
      .replace('query ($page)', `query ($cursor: String)`)
      .replace('(page', `(${size}: 1, ${from}: $cursor`)
      .replace('ITEMS', 'pageInfo { hasNextPage hasPreviousPage } edges { cursor node { id } }')
    const { data, errors } = await ask(asking, walk, query, { cursor })
    const list = path.reduce((value, key) => value?.[key], data)
    if (!list) throw new Error(JSON.stringify(errors))
    met.push(...list.edges)
    if (!list.pageInfo[size === 'first' ? 'hasNextPage' : 'hasPreviousPage']) return met
    cursor = list.edges[0].cursor
  }
}

export function isReverse(forwards: readonly unknown[], backwards: readonly unknown[]): boolean {
  return JSON.stringify(forwards) === JSON.stringify([...backwards].reverse())
}

export async function ask(
  { prepared, gateway, tokens }: Asking,
  { as, variables }: Question,
  query: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  const { ids, times } = prepared.world
  const text = JSON.stringify({ ...variables, ...more })
    .replaceAll(/"@([^"]+)"/g, (_, name: string) => JSON.stringify(ids[name]))
    .replaceAll(/"#([^"]+)"/g, (_, name: string) => JSON.stringify(times[name]))
  return gateway.graphql(query, { token: tokens[as], variables: JSON.parse(text) })
}
