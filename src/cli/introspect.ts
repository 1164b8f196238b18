import { loadPlace } from '../config/config.ts'
import { readLayout } from '../config/layout.ts'
import { command } from './command.ts'
import { whereInstalled } from './installed.ts'
import { runStranger } from './stranger.ts'

export const introspect = command({
  synopsis: 'introspect',
  usage: `Read how DATABASE_URL names Better Auth's tables; write prisma/schema.prisma, which serve reads.
  --auth      the module that exports your Better Auth, as auth or by default, to ask it for names:
              TypeScript or JavaScript, with the paths of its tsconfig.json and the .env beside its
              package.json; its database is not asked
  --overrides a JSON file with names of tables and columns that are not recognised
  --fields    a JSON file with further fields to show and who sees them, and which rows count as absent
  --output    where to write it instead; - for standard output`,
  options: {
    auth: { type: 'string' },
    overrides: { type: 'string' },
    fields: { type: 'string' },
    output: { type: 'string' },
  },
  run: async ({ auth, overrides, fields, output = 'prisma/schema.prisma' }) => {
    const loading = import('../introspection/introspect.ts')
    const introspection = await whereInstalled(loading, 'introspect')
    const { url, schema: databaseSchema } = loadPlace(process.env)
    const { printGraph } = await import('../print.ts')
    const asked = {
      databaseUrl: url,
      databaseSchema,
      authPath: auth,
      overridesPath: overrides,
      fieldsPath: fields,
      verify: (prismaSchema: string) => void printGraph(readLayout({ prismaSchema })),
    }
    await runStranger(async () => {
      if (output !== '-')
        return toJson(await introspection.introspect({ ...asked, schemaPath: output }))
      const { schema, report } = await introspection.readSchema(asked)
      process.stderr.write(toJson(report))
      return schema
    })
  },
})

function toJson(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
