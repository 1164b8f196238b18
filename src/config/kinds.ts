import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** What the text of a variable may be. Its `description` completes "must be …", in messages and in the documentation. */
export type Kind<Value> = z.ZodType<Value, string>

export const text: Kind<string> = z
  .string()
  .refine((given) => given === given.trim(), 'begins or ends with a blank: write it without')
  .describe('any text')

export const onOff = kind('on or off', (given) =>
  given === 'on' ? true : given === 'off' ? false : undefined,
)

export function oneOf<const Name extends string>(...names: readonly Name[]): Kind<Name> {
  return kind(`one of ${names.join(', ')}`, (given) => names.find((name) => name === given))
}

/** No offset: PostgreSQL takes `UTC+9` and `+09:00` for nine hours west. */
export const timeZone = kind('the name of a time zone, such as Asia/Seoul', (given) => {
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: given }).resolvedOptions()
    if (timeZone === 'UTC') return timeZone
    return given.startsWith('+') || given.startsWith('-') ? undefined : given
  } catch {
    return undefined
  }
})

/** `unit` says what is counted, where the name of the variable alone could be misread. */
export function wholeNumber(least: number, most: number, unit = ''): Kind<number> {
  const accepted = `a whole number from ${least} to ${most}`
  return kind(unit === '' ? accepted : `${accepted}, in ${unit}`, (given) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
    return value >= least && value <= most ? value : undefined
  })
}

/** A word of its own meaning, or what the other kind accepts. */
export function wordOr<const Word extends string, Value>(
  word: Word,
  other: Kind<Value>,
): Kind<Word | Value> {
  const accepted = `${word}, or ${other.description}`
  return z.union([z.literal(word), other], { error: `must be ${accepted}` }).describe(accepted)
}

/** The parts between commas, without spaces around them and without empty ones. */
export function list(
  accepted: string,
  accepts: (parts: readonly string[]) => boolean = () => true,
): Kind<readonly string[]> {
  return kind(`${accepted}, separated by commas`, (given) => {
    const parts = partsOf(given)
    return accepts(parts) ? parts : undefined
  })
}

export function partsOf(given: string): readonly string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** What names of types begin with. */
export const typePrefix = kind(
  'a word of letters and digits that begins with a capital',
  (given) => (/^[A-Z][A-Za-z0-9]{0,30}$/.test(given) ? given : undefined),
)

/** In lower case. */
export const headerName = kind('the name of a header', (given) =>
  /^[\w-]+$/.test(given) ? given.toLowerCase() : undefined,
)

/** A list with at least one part. */
export function several(parts: string): Kind<readonly string[]> {
  return list(parts, ({ length }) => length > 0)
}

export const httpUrl = kind(`a URL that begins with ${beginnings(['http:', 'https:'])}`, (given) =>
  isUrl(given, ['http:', 'https:']) ? new URL(given) : undefined,
)

/** Holds the text of the file. */
export const textFile: Kind<string> = z
  .string()
  .transform((path, context) => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      context.addIssue(`cannot be read: ${error instanceof Error ? error.message : error}`)
      return z.NEVER
    }
  })
  .describe('the path of a file')

/** Holds what the file says. */
export const jsonFile: Kind<unknown> = z
  .string()
  .transform((path, context): unknown => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'))
    } catch (error) {
      context.addIssue(`cannot be read as JSON: ${error instanceof Error ? error.message : error}`)
      return z.NEVER
    }
  })
  .describe('the path of a JSON file')

/** `read` answers `undefined` for what is not accepted. */
export function kind<Value>(
  accepted: string,
  read: (given: string) => Value | undefined,
): Kind<Value> {
  return z
    .string()
    .transform((given, context) => {
      const value = read(given)
      if (value !== undefined) return value
      context.addIssue(`must be ${accepted}`)
      return z.NEVER
    })
    .describe(accepted)
}

function beginnings(protocols: readonly string[]): string {
  return protocols.map((protocol) => `${protocol}//`).join(' or ')
}

function isUrl(given: string, protocols: readonly string[]): boolean {
  return URL.canParse(given) && protocols.includes(new URL(given).protocol)
}
