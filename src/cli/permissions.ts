import { readFile } from 'node:fs/promises'
import { command } from './command.ts'

export const permissions = command({
  synopsis: 'permissions <file>',
  usage:
    'Print TypeScript that declares the permissions of an access control file, for typed clients.',
  options: {},
  run: async (_options, [file = '']) => {
    const { printPermissions } = await import('../print.ts')
    process.stdout.write(printPermissions(JSON.parse(await readFile(file, 'utf8'))))
  },
})
