import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { type Cause, commonCauses, explain, type Place } from '../reach/causes.ts'
import { type KeySource, NoKeys } from './key-source.ts'

const FETCH_TIMEOUT_MS = 3000

/**
 * Rejects with NoKeys, which names the URL without what it can hold of credentials.
 * @param variable What holds the URL.
 * @param onFetch Told of each request.
 */
export function urlKeySource(url: URL, variable: string, onFetch?: OnFetch): KeySource {
  const { hostname, host, origin, pathname } = url
  const place = { server: host, host: hostname }
  const say = (what: string) =>
    `No key set can be read from ${variable} (${origin}${pathname}). ${what}.`
  return async () => {
    try {
      const keys = await ask(url, onFetch)
      return { keys, lack: keys.length === 0 ? say(`${host} ${EMPTY}`) : null }
    } catch (error) {
      const what =
        error instanceof WrongAnswer ? `${host} ${error.message}` : explain(error, place, causes)
      throw new NoKeys(say(what ?? `${host} does not answer${CHECK}`), { cause: error })
    }
  }
}

/** The status is `null` where there is no answer. */
export type OnFetch = (durationMs: number, url: URL, status: number | null) => void

async function ask(url: URL, onFetch: OnFetch = () => {}): Promise<JSONWebKeySet['keys']> {
  const begun = performance.now()
  const told = (status: number | null) => onFetch(performance.now() - begun, url, status)
  const asked = fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  asked.then(
    ({ status }) => told(status),
    () => told(null),
  )
  const response = await asked
  if (!response.ok) throw new WrongAnswer(describeStatus(response, url))
  const text = await response.text()
  const { data } = keySet.safeParse(parse(text))
  if (data) return data.keys
  const what = text.trimStart().startsWith('<') ? 'a page (HTML)' : 'something else'
  throw new WrongAnswer(`answers with ${what} in place of a key set: ${ELSEWHERE}`)
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What is wrong with an answer, said of whoever gave it, in words of our own. */
class WrongAnswer extends Error {}

function describeStatus({ status, headers }: Response, url: URL): string {
  const to = headers.get('location')
  if (status >= 300 && status < 400)
    return `redirects to ${to && URL.canParse(to, url) ? new URL(to, url).origin : 'another URL'}, which is not followed: write the URL that it ends at`
  return `answers ${status}: ${remedies[status] ?? 'see its log, and that of a proxy before it'}`
}

const EMPTY =
  'answers with a key set that has no key, so no token can be verified: see why its issuer publishes none'
const ELSEWHERE =
  'Better Auth with its jwt plug-in has it at /api/auth/jwks, other issuers where jwks_uri of their /.well-known/openid-configuration says'
const PUBLIC = 'let everybody read it, for its keys are public'

const remedies: Readonly<Record<number, string>> = { 401: PUBLIC, 403: PUBLIC, 404: ELSEWHERE }

const CHECK = ': correct the URL, or see whether its server runs and can be reached from here'
const PROXY = `${CHECK}; where a proxy is the way out, Node.js needs NODE_USE_ENV_PROXY=1 beside HTTPS_PROXY`

const causes: readonly Cause<Place>[] = [
  [/URL that includes credentials/, 'is asked without user and password: take them out of the URL'],
  [/bad port/, 'is named with a port that fetch does not ask: choose another'],
  [/\bHPE_/, 'speaks no HTTP: correct the port'],
  ...commonCauses(
    {
      authority: ': name the file of its certificate in NODE_EXTRA_CA_CERTS',
      name: ': write the name that the certificate is for',
      expired: ': let it be renewed',
      plain: ': write http:// instead of https://, or the port that speaks it',
      host: PROXY,
      route: PROXY,
      slow: PROXY,
      ended: ': write https:// if it speaks TLS, and see its log',
    },
    CHECK,
  ),
]
