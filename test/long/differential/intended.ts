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

/** Where both show nothing, Better Auth answers an error and the gateway an empty list. */
export const emptyInsteadOfRefused = {
  received: 'whoever has not verified the address is told of no invitations',
} as const
