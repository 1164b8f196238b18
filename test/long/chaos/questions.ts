import type { Member, World } from './world.ts'

/** How old a cached permission may be here. */
export const TTL_SECONDS = 2
/** How much the clocks of a database and a gateway on one machine can be apart by rounding. */
const ROUNDING_MS = 5

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever was asked for
  readonly data: any
  readonly codes: readonly string[]
}

export interface Question {
  readonly name: string
  readonly token: string | null
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
  /** What is wrong with what was answered, asked and answered at these times; `null`: nothing. */
  readonly verify: (answer: Answer, asked: number, answered: number) => string | null
}

/** One of each kind of question that the gateway answers. */
export function questionsOf(world: World): readonly Question[] {
  const { organizationId, owner, serviceToken, members } = world
  const some = (count: number) =>
    [...members].sort(() => Math.random() - 0.5).slice(0, count) as readonly Member[]
  const byId = new Map(members.map((member) => [member.userId, member]))
  const decision = (consistency: 'CACHED' | 'FRESH', token: string): Question => {
    const asked = some(15)
    const checks = asked.map(({ userId }) => ({
      organizationId,
      userId,
      permission: 'member:update',
    }))
    return {
      name: `checkPermissions ${consistency}`,
      token,
      query: `query ($checks: [PermissionCheckInput!]!) {
        checkPermissions(checks: $checks, consistency: ${consistency}) { allowed source } }`,
      variables: { checks },
      verify: ({ data }, since, until) => {
        const oldest = since - ROUNDING_MS - (consistency === 'CACHED' ? TTL_SECONDS * 1000 : 0)
        for (const [index, { role, userId }] of asked.entries()) {
          const allowed = data.checkPermissions[index].allowed
          if (!role.wasPossible(allowed ? 'admin' : 'member', oldest, until))
            return `${userId} ${allowed ? 'may' : 'may not'}`
        }
        return null
      },
    }
  }
  return [
    {
      name: 'viewer',
      token: owner.token,
      query:
        '{ viewer { id name email organizations(first: 5) { nodes { slug viewerPermissions } } } }',
      verify: ({ data: { viewer } }) =>
        viewer?.id === owner.userId &&
        viewer.name === 'Owner' &&
        viewer.email === 'owner@example.com' &&
        viewer.organizations.nodes[0]?.slug === 'acme' &&
        viewer.organizations.nodes[0]?.viewerPermissions.includes('organization:delete')
          ? null
          : `viewer ${JSON.stringify(viewer)}`,
    },
    {
      name: 'members',
      token: serviceToken,
      query: `{ organization(id: "${organizationId}") {
        members(first: 50) { totalCount nodes { roles user { id name } } } } }`,
      verify: ({ data: { organization } }, since, until) => {
        const { totalCount, nodes } = organization.members
        if (totalCount !== members.length + 1 || nodes.length !== totalCount)
          return `${nodes.length} of ${totalCount} members`
        for (const { user, roles } of nodes) {
          const member = byId.get(user.id)
          if (!member) {
            if (user.id === owner.userId && roles[0] === 'owner') continue
            return `a member nobody knows: ${user.id}`
          }
          if (!member.name.wasPossible(user.name, since - ROUNDING_MS, until))
            return `name ${user.name} of ${user.id}`
          if (!member.role.wasPossible(roles.join(), since - ROUNDING_MS, until))
            return `roles ${roles} of ${user.id}`
        }
        return null
      },
    },
    ...(['CACHED', 'FRESH'] as const).map((consistency) => ({
      name: `can ${consistency}`,
      token: owner.token,
      query: `{ can(permission: "organization:delete", organizationId: "${organizationId}", consistency: ${consistency}) }`,
      verify: ({ data }: Answer) => (data.can === true ? null : `can ${data.can}`),
    })),
    decision('CACHED', serviceToken),
    decision('FRESH', serviceToken),
    decision('CACHED', owner.token),
    {
      name: 'nobody',
      token: serviceToken,
      query: '{ user(id: "nobody") { id } organizationBySlug(slug: "nothing") { id } }',
      verify: ({ data }) =>
        data.user === null && data.organizationBySlug === null ? null : JSON.stringify(data),
    },
    {
      name: 'anonymous',
      token: null,
      query: '{ viewer { id } }',
      verify: ({ data }) => (data.viewer === null ? null : JSON.stringify(data)),
    },
    {
      name: 'forged',
      token: `${owner.token.slice(0, -8)}AAAAAAAA`,
      query: '{ viewer { id } }',
      verify: ({ status, codes }) =>
        status === 401 && codes.join() === 'UNAUTHENTICATED' ? null : `a forged token: ${status}`,
    },
  ]
}

export async function ask(url: string, { token, query, variables }: Question): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const text = await response.text()
  const { data = null, errors = [] } = JSON.parse(text) as {
    data?: unknown
    errors?: { extensions?: { code?: string } }[]
  }
  return {
    status: response.status,
    data,
    codes: errors.map(({ extensions }) => extensions?.code ?? 'NONE'),
  }
}
