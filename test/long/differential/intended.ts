import type { Json, Shown } from './view.ts'

/** What Better Auth shows and the gateway does not, on purpose: by what it shows, the key and why. */
export const leftOut = {
  session: {
    token: 'a live credential',
    userId: 'sessions are reached from their user',
    activeTeamId: 'the graph has no use of it',
  },
  account: { userId: 'accounts are reached from their user' },
  team: {
    updatedAt: 'not in the graph',
    memberCount: 'internal; shown with the whole organization alone',
  },
  invitation: {},
  received: { organizationId: 'null to those who are not members; the name is shown' },
  member: {},
  teamMember: {},
  organization: {},
  role: {
    id: 'roles are known by name',
    organizationId: 'roles are reached from their organization',
    createdAt: 'not in the graph',
    updatedAt: 'not in the graph',
  },
  user: {},
} as const satisfies Record<string, Readonly<Record<string, string>>>

export type Kind = keyof typeof leftOut

/** Whoever has not verified their address is refused by Better Auth; the gateway's list is empty. */
export function emptyIfRefused(invitations: Shown): Shown {
  return invitations === 'refused' ? [] : invitations
}

/** Better Auth shows platform admins sessions that have expired; the gateway shows nobody any. */
export function withoutExpired(sessions: Shown): Shown {
  if (sessions === 'refused') return sessions
  return sessions.filter(({ expiresAt }) => Date.parse(String(expiresAt)) > Date.now())
}

/** Some providers separate scopes by spaces, which Better Auth takes for one scope. */
export function withScopesSplit(account: Json): Json {
  return {
    ...account,
    scopes: (account.scopes as string[]).flatMap((scope) => scope.split(' ')),
  }
}
