import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

/**
 * Compiles a program by the types of the packages of test/deploy, and runs it. Answers what the compiler or the program said
 * against it, or null. What is written down as a literal may have no property that its type does not know.
 */
export async function complaintOf(program: string): Promise<string | null> {
  // Beside the packages, so that they are found by their names.
  const folder = await mkdtemp(join(root, 'test/deploy/.run-'))
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: [],
    strict: true,
    skipLibCheck: true,
  }
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    await writeFile(join(folder, 'program.ts'), program)
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
    await run(process.execPath, ['program.js'], { cwd: folder })
    return null
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Record<string, string>
    return stdout + stderr || `${message}`
  } finally {
    await rm(folder, { recursive: true })
  }
}
