import { signsOf } from './signs.ts'

/** Where somebody tried to connect to. */
export interface Place {
  /** Who is there and where: `Redis at db.example:6379`. */
  readonly server: string
  readonly host: string
}

/**
 * What a cause is known by, and what is said of it: a clause, or what the server of the place does. Texts of an error
 * are recognised and never quoted, because they may hold anything.
 */
export type Cause<P extends Place> = readonly [RegExp, string | ((place: P) => string)]

/** Says the first cause that fits; what is particular comes before what is general. `undefined`: none does. */
export function explain<P extends Place>(
  error: unknown,
  place: P,
  causes: readonly Cause<P>[],
): string | undefined {
  const signs = signsOf(error)
  const cause = causes.find(([pattern]) => signs.some((sign) => pattern.test(sign)))
  return cause && say(cause, place)
}

function say<P extends Place>([, said]: Cause<P>, place: P): string {
  return typeof said === 'string' ? `${place.server} ${said}` : said(place)
}

/** These causes, whatever is spoken, each with what follows it: what to do. */
export function commonCauses(
  remedies: Partial<Record<keyof typeof common, string>>,
  otherwise = '',
): readonly Cause<Place>[] {
  return Object.entries<Cause<Place>>(common).map(([name, cause]) => {
    const remedy = remedies[name as keyof typeof common] ?? otherwise
    return [cause[0], (place) => `${say(cause, place)}${remedy}`]
  })
}

const common = {
  authority: [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|self-signed certificate|unable to (verify|get)/,
    'has a certificate of an authority that is not trusted here',
  ],
  name: [
    /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate/,
    ({ server, host }) => `${server} has a certificate of another name than "${host}"`,
  ],
  expired: [/CERT_HAS_EXPIRED|certificate has expired/, 'has a certificate that has expired'],
  plain: [/ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)/, 'speaks no TLS'],
  disagreed: [/ERR_SSL_/, 'agrees on no TLS'],
  host: [/\b(ENOTFOUND|EAI_AGAIN)\b/, 'cannot be used because there is no such host'],
  route: [/\b(EHOSTUNREACH|ENETUNREACH)\b/, 'does not answer, for no route leads there'],
  refused: [/\bECONNREFUSED\b/, 'does not answer, for nothing listens there'],
  // Whoever has waited long enough ends the connection too.
  slow: [/timed out|TIMEDOUT|timeout|TIMEOUT|does not answer/, 'does not answer in time'],
  ended: [
    /\b(ECONNRESET|EPIPE)\b|terminated unexpectedly|Connection is closed|other side closed/,
    'ended the connection',
  ],
} satisfies Record<string, Cause<Place>>
