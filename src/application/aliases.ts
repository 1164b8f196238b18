import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createPathsMatcher, getTsconfig, parseTsconfig, type TsConfigResult } from 'get-tsconfig'
import { oneLine } from './failure.ts'

export interface Aliases {
  /** The paths that TypeScript would try for what a file imports, likeliest first; without extensions. */
  candidates(specifier: string, importer: string): readonly string[]
  /** The package whose `jsx-runtime` a file's JSX is made with. */
  jsxImportSource(file: string): string | undefined
  /** What is wrong with configuration that was looked for. */
  readonly problems: ReadonlySet<string>
}

/** By the tsconfig.json or jsconfig.json nearest to a file, what it extends, and the projects it refers to. */
export function createAliases(): Aliases {
  const known = new Map<string, readonly TsConfigResult[]>()
  const problems = new Set<string>()
  const configsFor = (file: string): readonly TsConfigResult[] => {
    const folder = dirname(file)
    const configs = known.get(folder) ?? findConfigs(folder, problems)
    known.set(folder, configs)
    return configs
  }
  return {
    candidates: (specifier, importer) => [
      ...configsFor(importer).flatMap((config) => createPathsMatcher(config)?.(specifier) ?? []),
      ...inLibrary(specifier, importer),
    ],
    jsxImportSource: (file) =>
      configsFor(file)
        .map(({ config }) => config.compilerOptions?.jsxImportSource)
        .find((source) => source !== undefined),
    problems,
  }
}

/** The nearest folder that holds a package.json, or the file's own. */
export function findProject(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) return dirname(file)
  }
}

/** `$lib` of SvelteKit, which a checkout that was never built has in no tsconfig. */
function inLibrary(specifier: string, importer: string): readonly string[] {
  const [, rest] = /^\$lib(\/.+)?$/.exec(specifier) ?? [undefined, null]
  return rest === null ? [] : [join(findProject(importer), 'src/lib', rest ?? '')]
}

function findConfigs(folder: string, problems: Set<string>): readonly TsConfigResult[] {
  const nearest = reading(problems, folder, () => {
    return getTsconfig(folder) ?? getTsconfig(folder, 'jsconfig.json')
  })
  if (!nearest) return []
  const found = new Map([[nearest.path, nearest]])
  // What is added while this goes on is gone through as well.
  for (const { path, config } of found.values())
    for (const { path: reference } of config.references ?? []) {
      const at = join(dirname(path), reference)
      const file = at.endsWith('.json') ? at : join(at, 'tsconfig.json')
      if (found.has(file)) continue
      const parsed = reading(problems, file, () => parseTsconfig(file))
      if (parsed) found.set(file, { path: file, config: parsed })
    }
  return [...found.values()]
}

function reading<Read>(problems: Set<string>, where: string, read: () => Read): Read | null {
  try {
    return read()
  } catch (error) {
    problems.add(`the tsconfig of ${where}: ${oneLine(error)}`)
    return null
  }
}
