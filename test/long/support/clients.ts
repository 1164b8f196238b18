import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { documentedBlock } from '../../support/documentation.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const clients = join(root, 'test/clients')

/** Modules of the packages of test/clients. They and what is imported from files beside them are the same. */
export const packages = createRequire(join(clients, 'x.js'))

/** An application in a folder of its own, whose files are the blocks of docs/clients.md. */
export interface Application {
  readonly folder: string
  write(file: string, text: string): Promise<void>
  /** Runs a command of the installed packages. */
  run(command: string, ...words: string[]): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: whatever the file exports, which its own compiler has looked at
  load(file: string): Promise<any>
  remove(): Promise<void>
}

/** The block of docs/clients.md that is this file. */
export function documented(file: string): string {
  return documentedBlock(`// ${file}\n`).text
}

export async function createApplication(): Promise<Application> {
  // Beside the packages, so that they are found by their names.
  const folder = await mkdtemp(join(clients, '.run-'))
  const installed = join(folder, 'node_modules/identity-gateway')
  await mkdir(installed, { recursive: true })
  await copyFile(join(root, 'schema.graphql'), join(installed, 'schema.graphql'))
  const path = `${join(clients, 'node_modules/.bin')}:${process.env.PATH}`
  return {
    folder,
    async write(file, text) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), text)
    },
    async run(command, ...words) {
      const env = { ...process.env, PATH: path }
      await promisify(execFile)(command, words, { cwd: folder, env }).catch(
        ({ stdout, stderr }) => {
          throw new Error(stdout + stderr)
        },
      )
    },
    load: (file) => import(join(folder, file)),
    remove: () => rm(folder, { recursive: true }),
  }
}

/** Compiles every file of the application, as strictly as this repository is compiled. */
export async function compile({ write, run }: Application): Promise<void> {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noEmit: true,
  }
  const include = ['*.ts', 'src/**/*.ts']
  await write('tsconfig.json', JSON.stringify({ compilerOptions, include }))
  await run(join(root, 'node_modules/.bin/tsc'), '-p', '.')
}

export async function readJson(application: Application, file: string) {
  return JSON.parse(await readFile(join(application.folder, file), 'utf8'))
}
