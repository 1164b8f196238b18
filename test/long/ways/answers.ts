import { codesOf } from '../../support/codes.ts'
import type { GatewayUnderTest } from '../../support/gateway.ts'
import { type Asking, ask, isReverse, walkThrough } from '../layouts/answers.ts'
import { allQuestions, allWalks } from './questions.ts'

/** Who asks every question, beside those whom it is meant for. */
const callers = ['nobody', 'Bob, by cookie', 'a service that reads']

/** What everybody is answered, as text, by the question and who asked it. */
export async function everyAnswer(asking: Asking): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>()
  for (const [name, question] of Object.entries(allQuestions))
    await Promise.all(
      [question.as, ...callers].map(async (as) => {
        const answer = await ask(asking, { ...question, as }, question.query)
        answers.set(`${name}, to ${as}`, toText(answer))
      }),
    )
  for (const [name, { size, ...walk }] of Object.entries(allWalks)) {
    const forwards = await walkThrough(asking, walk, 'first', 'after')
    const backwards = await walkThrough(asking, walk, 'last', 'before')
    const walked = { forwards, isWhole: forwards.length === size && isReverse(forwards, backwards) }
    answers.set(`${name}, walked`, JSON.stringify(walked))
  }
  return answers
}

/** Errors have no order among themselves. The time of a decision, and its age, are those of the question. */
function toText(answer: Awaited<ReturnType<typeof ask>>): string {
  const codes = Object.entries(codesOf(answer)).sort()
  const text = JSON.stringify({ status: answer.status, data: answer.data, codes }, null, 1)
  return text
    .replaceAll(/("(?:resolvedAt|readAt)": )"[^"]+"/g, '$1"now"')
    .replaceAll(/("ageSeconds": )[\d.e-]+/g, (_, name) => `${name}0`)
}

/** Sends a credential as what it is, and tells of each operation. */
export function asked(
  gateway: Pick<GatewayUnderTest, 'graphql'>,
  onAsked: (query: string) => void = () => {},
): Pick<GatewayUnderTest, 'graphql'> {
  return {
    graphql(query, { token, ...options } = {}) {
      onAsked(query)
      return token?.startsWith('better-auth.')
        ? gateway.graphql(query, { ...options, headers: { cookie: token } })
        : gateway.graphql(query, { ...options, token })
    },
  }
}
