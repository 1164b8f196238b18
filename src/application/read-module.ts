import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Jiti, JitiOptions, TransformOptions } from 'jiti'
import { type Aliases, createAliases, findProject } from './aliases.ts'
import { causeOf } from './failure.ts'
import { frameworkModules, isFrameworkModule } from './framework-modules.ts'

export type Exports = Readonly<Record<string, unknown>>

/**
 * Loads a module of the application as Better Auth's own command line does: in TypeScript or JavaScript, with the paths of
 * its tsconfig.json and the variables of its .env, on every Node.js; and reads what is asked of it. What the .env or the
 * module says by the environment counts until then and no longer.
 * @throws Error in one sentence that ends with what can be done instead.
 */
export async function readModule<Read>(
  path: string,
  instead: string,
  read: (exports: Exports) => Promise<Read>,
): Promise<Read> {
  const file = resolve(path)
  const before = { ...process.env }
  const stopWatching = watchForExit(path, instead)
  try {
    loadEnvironment(findProject(file))
    return await inTime(path, instead, async () => read(await load(path, file, instead)))
  } finally {
    stopWatching()
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

async function load(path: string, file: string, instead: string): Promise<Exports> {
  const aliases = createAliases()
  const jiti = await createLoader(file, aliases)
  const found = jiti.esmResolve(file, { try: true })
  if (found === undefined) throw new Error(`Cannot find module ${path}: there is no such file.`)
  try {
    return await jiti.import<Exports>(found)
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${causeOf(error, aliases.problems)}; ${instead}.`, {
      cause: error,
    })
  }
}

/** Of what is imported without one, likeliest first. */
const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

async function createLoader(file: string, aliases: Aliases): Promise<Jiti> {
  const { createJiti } = await import('jiti')
  const common: JitiOptions = { fsCache: false, jsx: true, extensions: EXTENSIONS }
  const plain = createJiti(file, common)
  const transform = (options: TransformOptions) => {
    const { filename = file } = options
    const importSource = aliases.jsxImportSource(filename)
    return {
      code: plain.transform({
        ...options,
        // In TypeScript without JSX, `<` begins an assertion.
        jsx: !/\.[cm]?ts$/.test(filename) && {
          runtime: 'automatic',
          ...(importSource !== undefined && { importSource }),
        },
        babel: { plugins: [replaceAliases(replace)] },
      }),
    }
    function replace(specifier: string): string | undefined {
      if (specifier.startsWith('.') || isFrameworkModule(specifier)) return undefined
      if (filename.includes('/node_modules/')) return undefined
      return aliases
        .candidates(specifier, filename)
        .map((candidate) => plain.esmResolve(candidate, { try: true }))
        .find((found) => found !== undefined)
    }
  }
  return createJiti(file, { ...common, transform, virtualModules: frameworkModules })
}

interface Specifier {
  value: string
}

/** A plug-in of Babel, with which jiti transforms modules. */
function replaceAliases(replace: (specifier: string) => string | undefined): () => object {
  const visit = ({ node }: { readonly node: { readonly source?: Specifier | null } }) => {
    if (node.source) node.source.value = replace(node.source.value) ?? node.source.value
  }
  const visitCall = ({ node }: { readonly node: Call }) => {
    const { callee, arguments: given } = node
    const [first] = given
    if (callee.type !== 'Import' && callee.name !== 'require') return
    if (first?.type === 'StringLiteral') first.value = replace(first.value) ?? first.value
  }
  const visitor = {
    ImportDeclaration: visit,
    ExportNamedDeclaration: visit,
    ExportAllDeclaration: visit,
    CallExpression: visitCall,
  }
  // Before any other plug-in has rewritten an import().
  const Program = (program: { traverse(of: object): void }) => program.traverse(visitor)
  return () => ({ visitor: { Program } })
}

interface Call {
  readonly callee: { readonly type: string; readonly name?: string }
  readonly arguments: readonly (Specifier & { readonly type: string })[]
}

/** What is set already wins, then .env.local. */
function loadEnvironment(folder: string): void {
  for (const name of ['.env.local', '.env']) {
    const path = join(folder, name)
    if (existsSync(path)) process.loadEnvFile(path)
  }
}

const SECONDS = 30

/** A module may wait for a server that never answers. */
async function inTime<Read>(path: string, instead: string, read: () => Promise<Read>) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${path} is not loaded after ${SECONDS} seconds; ${instead}.`)),
      SECONDS * 1000,
    ).unref()
  })
  try {
    return await Promise.race([read(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** A module may end the process, or wait for what never comes while nothing keeps the process alive. */
function watchForExit(path: string, instead: string): () => void {
  const tell = () => {
    process.stderr.write(`${path} ended the process while it was loaded; ${instead}.\n`)
    process.exitCode = 1
  }
  process.on('exit', tell)
  return () => process.off('exit', tell)
}
