/** How a block of TypeScript in the documentation is made a program whose output can be compared. */
export interface Program {
  /** What the block contains and no other does. */
  readonly marker: string
  /** Declares what the block leaves to its reader. */
  readonly before?: string
  /** Fills in what the block shows as a placeholder. */
  readonly fill?: (text: string) => string
  /** What the block exports for its reader to call; it is a file of its own then. */
  readonly imports?: string
  /** Calls `print` with what came out. */
  readonly after: string
  readonly prints: unknown
}

const ask = `{
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: process.env.AUTHORIZATION ?? '' },
  body: JSON.stringify({ query: '{ viewer { name } }' }),
}`
const ada = { data: { viewer: { name: 'Ada' } } }
const organizationId = `const organizationId = process.env.ORGANIZATION_ID ?? ''`

/**
 * They are run with the environment of a gateway, and with AUTHORIZATION (Ada's), BETTER_AUTH_URL, SESSION (Ada's),
 * REDIS_URL and ORGANIZATION_ID (which Ada owns).
 */
export const programs: readonly Program[] = [
  {
    marker: "from 'identity-gateway/better-auth'",
    before: `import { betterAuth } from 'better-auth'`,
    fill: (text) =>
      text
        .replace("'redis://…'", "process.env.REDIS_URL ?? ''")
        .replace('\nbetterAuth(', '\nconst auth = betterAuth('),
    after: `print(auth.options.plugins?.map(({ id }) => id))`,
    prints: ['identity-gateway'],
  },
  {
    marker: "from 'identity-gateway/writes'",
    before: `import { Redis } from 'ioredis'
      ${organizationId}
      const email = 'grace@example.com'
      const redis = new Redis(process.env.REDIS_URL ?? '')
      const request = new Request('http://bff', {
        headers: { authorization: \`Bearer \${process.env.SESSION}\` },
      })`,
    fill: (text) =>
      text.replace("'https://auth.example.com/api/auth'", "process.env.BETTER_AUTH_URL ?? ''"),
    after: `const [entry] = await redis.xrevrange('identity:business-events', '+', '-', 'COUNT', 1)
      print([data?.email, error, entry?.[1].join(' ').includes('/payroll')])`,
    prints: ['grace@example.com', null, true],
  },
  {
    marker: "from 'identity-gateway/client'",
    before: organizationId,
    after: `print(owners)`,
    prints: [{ user: { name: 'Ada' } }],
  },
  {
    marker: "from 'hono'",
    after: `print(await (await app.request('/graphql', ${ask})).json())
      await gateway.close()`,
    prints: ada,
  },
  {
    marker: "from 'fastify'",
    after: `const address = await app.listen({ host: '127.0.0.1', port: 0 })
      print(await (await fetch(\`\${address}/graphql\`, ${ask})).json())
      await app.close()
      await gateway.close()`,
    prints: ada,
  },
  {
    marker: '// app/graphql/route.ts',
    imports: 'GET, POST',
    after: `const address = 'http://next.example.com/graphql'
      const post = new Request(address, ${ask})
      const get = new Request(\`\${address}?query={viewer{name}}\`, { headers: post.headers })
      print([
        await (await GET(get)).json(),
        await (await POST(post)).json(),
      ])`,
    prints: [ada, ada],
  },
  {
    marker: "from 'identity-gateway/identity'",
    before: organizationId,
    after: `print([user?.name, mayApprove])`,
    prints: ['Ada', true],
  },
]

/** The whole text of a program. `path`: where the block is, when it is a file of its own. */
export function textOf(program: Program, block: string, path: string): string {
  const { before = '', fill = (text) => text, imports, after } = program
  return `${before}
${imports ? `import { ${imports} } from '${path}'` : fill(block)}
${after}
function print(value: unknown) {
  console.log(JSON.stringify(value))
}
process.exit()
`
}
