import { pathToFileURL } from 'node:url'
import { command } from './command.ts'

export const accessControl = command({
  synopsis: 'access-control <module>',
  usage: `Print the content of ACCESS_CONTROL_FILE from the module that exports Better Auth's roles.
  --export the name they are exported by (roles)`,
  options: { export: { type: 'string' } },
  run: async ({ export: name = 'roles' }, [module = '']) => {
    const { toAccessControl } = await import('../gateway.ts')
    const exported: unknown = (await import(pathToFileURL(module).href))[name]
    if (exported === undefined) throw new Error(`${module} exports nothing by the name ${name}.`)
    process.stdout.write(`${JSON.stringify(toAccessControl(exported), null, 2)}\n`)
  },
})
