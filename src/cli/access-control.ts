import { command } from './command.ts'
import { runStranger } from './stranger.ts'

export const accessControl = command({
  synopsis: 'access-control <module>',
  usage: `Print the content of ACCESS_CONTROL_FILE from the module that exports Better Auth's roles, in TypeScript or
JavaScript, with the paths of its tsconfig.json.
  --export the name they are exported by (roles)`,
  options: { export: { type: 'string' } },
  run: ({ export: name = 'roles' }, [module = '']) =>
    runStranger(async () => {
      const { toAccessControl } = await import('../permissions/definitions.ts')
      const { readModule } = await import('../application/read-module.ts')
      const instead = 'give the command a small file that exports the roles without it'
      return readModule(module, instead, async (exports) => {
        const exported = exports[name]
        if (exported === undefined)
          throw new Error(`${module} exports nothing by the name ${name}.`)
        return `${JSON.stringify(toAccessControl(exported), null, 2)}\n`
      })
    }),
})
