import { existsSync } from 'node:fs'
import { installProgram } from '../../support/install-program.ts'

/** Installs a package unless a command of it is there. @throws Error that says how to get it. */
export async function need(command: string, name = command): Promise<void> {
  const folders = ['/usr/sbin', ...(process.env.PATH ?? '').split(':')]
  if (folders.some((folder) => existsSync(`${folder}/${command}`))) return
  if (!(await installProgram(name)))
    throw new Error(`This test needs ${command}: apt-get install ${name}.`)
}
