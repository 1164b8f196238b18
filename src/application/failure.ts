import { relative } from 'node:path'

/** Why a module could not be loaded, in the middle of a sentence. */
export function causeOf(error: unknown, problems: ReadonlySet<string>): string {
  const missing = findMissing(error)
  if (!missing) return `it throws ${oneLine(error)}`
  const { specifier, importer } = missing
  const doubts = [...problems].map((problem) => `; ${problem}`).join('')
  return `${importer} imports ${JSON.stringify(specifier)}, ${whyMissing(specifier)}${doubts}`
}

/** What was thrown, without the lines and the full stop that would break a sentence. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error && error.message ? error.message : String(error)
  const line = text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

const LONGEST = 300

interface Missing {
  readonly specifier: string
  readonly importer: string
}

function findMissing(error: unknown): Missing | null {
  if (!(error instanceof Error && 'code' in error)) return null
  if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_MODULE_NOT_FOUND') return null
  const [, specifier] = /Cannot find (?:module|package) '([^']+)'/.exec(error.message) ?? []
  const [, importer] = /(?: imported from |Require stack:\n- )(.+)/.exec(error.message) ?? []
  if (specifier === undefined || importer === undefined) return null
  return { specifier, importer: relative('', importer) }
}

function whyMissing(specifier: string): string {
  if (/^[./]/.test(specifier)) return 'and there is no such file'
  if (/^(?:[$#~]|@\/)|:/.test(specifier))
    return 'which is no package and no path of a tsconfig.json, and may exist inside the build of a framework alone'
  return 'which is not installed there and is no path of a tsconfig.json'
}
