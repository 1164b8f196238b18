import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, type GraphQLSchema, parse } from 'graphql'
import { expect, test } from 'vitest'
import { ClosedViewer } from '../../src/access/closed-viewer.ts'
import { createViewer } from '../../src/access/viewer.ts'
import { GatewayError } from '../../src/domain/errors.ts'
import { createContext, type Sources } from '../../src/graph/context.ts'
import { createSubgraph } from '../../src/graph/schema.ts'
import { models } from '../../src/layout/contract.ts'

/* What becomes of a kind of caller that nobody has thought of. */

const repository = join(import.meta.dirname, '../..')

test('a further kind of caller does not compile, and the compiler lists the places', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'further-kind-'))
  try {
    await cp(join(repository, 'src'), join(folder, 'src'), { recursive: true })
    for (const name of ['package.json', 'node_modules', 'tsconfig.json'])
      await symlink(join(repository, name), join(folder, name))
    const file = join(folder, 'src/domain/caller.ts')
    const text = await readFile(file, 'utf8')
    const further = text.replace('export type Caller =', "$&\n  | { readonly kind: 'robot' }")
    expect(further).not.toBe(text)
    await writeFile(file, further)
    await writeFile(
      join(folder, 'tsconfig.further.json'),
      JSON.stringify({ extends: './tsconfig.json', include: ['src/gateway.ts'] }),
    )
    expect(await filesThatDoNotCompile(folder)).toEqual([
      'src/access/viewer.ts',
      'src/domain/caller.ts',
      'src/http/budget.ts',
      'src/http/rate-limiter.ts',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})

async function filesThatDoNotCompile(folder: string): Promise<string[]> {
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.further.json', '--pretty', 'false']
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_error, stdout) => resolve(stdout))
  })
  return [
    ...new Set([...output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map(([, file = '']) => file)),
  ]
}

/** A kind of caller that the compiler has not been told of, in front of sources that nothing may be read from. */
const viewer = createViewer({ kind: 'robot' } as never, {} as never)
const schema: GraphQLSchema = createSubgraph(
  {
    organizations: true,
    models: new Set(models),
    userFields: new Set(),
    additional: { User: [], Organization: [], Member: [] },
  },
  { prefix: '', mostReferences: 1 },
)

const one = '{ permission: "leave:approve", organizationId: "o", userId: "u" }'
const doors: Readonly<Record<string, string>> = {
  _entities: '(representations: [{ __typename: "User", id: "u" }]) { __typename }',
  can: '(permission: "leave:approve", organizationId: "o", userId: "u")',
  checkPermissions: `(checks: [${one}]) { allowed }`,
  explainPermission: '(permission: "leave:approve", organizationId: "o", userId: "u") { allowed }',
  fetch__Member: '(id: "m") { id }',
  fetch__Organization: '(id: "o") { id }',
  fetch__Team: '(id: "t") { id }',
  fetch__User: '(id: "u") { id }',
  invitation: '(id: "i") { id }',
  membersByIds: '(ids: ["m"]) { id }',
  organization: '(id: "o") { id }',
  organizationBySlug: '(slug: "o") { id }',
  organizations: '{ totalCount }',
  organizationsByIds: '(ids: ["o"]) { id }',
  organizationsBySlugs: '(slugs: ["o"]) { id }',
  team: '(id: "t") { id }',
  user: '(id: "u") { id }',
  userByEmail: '(email: "u@example.com") { id }',
  users: '{ totalCount }',
  usersByEmails: '(emails: ["u@example.com"]) { id }',
  usersByIds: '(ids: ["u"]) { id }',
}

test('these are all doors, beside the one to oneself and the description of the graph', () => {
  const all = Object.keys(schema.getQueryType()?.getFields() ?? {})
  expect(all.sort()).toEqual(['_service', ...Object.keys(doors), 'viewer', 'viewerSession'].sort())
})

test.each(Object.keys(doors))('an unknown kind of caller is shown nothing at %s', async (door) => {
  const { data, errors } = await ask(`{ ${door}${doors[door]} }`)
  // Of references each is refused.
  expect(data?.[door] ?? null).toEqual(door === '_entities' ? [null] : null)
  expect(errors?.map(({ originalError }) => (originalError as GatewayError).code)).toEqual([
    'UNAUTHENTICATED',
  ])
})

test('an unknown kind of caller is no user', async () => {
  expect(await ask('{ viewer { id } viewerSession { id } }')).toEqual({
    data: { viewer: null, viewerSession: null },
  })
  expect(viewer.userId).toBeNull()
})

async function ask(query: string) {
  const contextValue = createContext({} as Sources, viewer, {
    pace: { take: () => null, whenSettled: setImmediate },
  })
  return execute({ schema, document: parse(query), contextValue })
}

test('whatever the graph asks of it past the doors, it shows nothing', async () => {
  const questions = Object.getOwnPropertyNames(ClosedViewer.prototype)
  for (const question of questions.filter((name) => name !== 'constructor'))
    expect([question, await answerOf(question)]).toEqual([
      question,
      expect.toBeOneOf([false, null, 'none', 'UNAUTHENTICATED', 'FORBIDDEN']),
    ])
})

/** The answer to any arguments, or the code of the refusal. */
async function answerOf(question: string): Promise<unknown> {
  try {
    return await Reflect.get(viewer, question).call(viewer, {}, {})
  } catch (error) {
    return error instanceof GatewayError ? error.code : error
  }
}
