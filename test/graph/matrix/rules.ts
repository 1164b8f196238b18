import { type AppOfMatrix, type Caller, callers } from './world.ts'

/** What a field answers. */
export type Outcome = keyof typeof signs

const signs = {
  /** A value that is not empty. */
  value: '+',
  null: '0',
  /** An empty list, or none counted. */
  empty: '[]',
  false: 'false',
  /** null with this code, and the rest of the answer is intact. */
  FORBIDDEN: 'F',
  UNAUTHENTICATED: 'U',
  BAD_USER_INPUT: 'B',
  /** There is no object that has the field. */
  unreached: '.',
} as const

/**
 * The oracle of who sees what, read from the contract and not from the code. What a line here says of a caller, a field
 * and an outcome no other test says again; others are about values, numbers, cost and change.
 *
 * For each route (routes.ts) and field, the outcomes in the order of callers, which are the columns:
 * 1 anonymous, 2 themself, 3 a co-member, 4 a co-member who may invite and shares a team, 5 a stranger, 6 an invited
 * person, 7 a platform admin, 8 an inviter who has left; then services: 9 identity:read, 10 identity:pii,
 * 11 permissions:check, 12 identity:read and identity:pii, 13 all, 14 none.
 */
const table = `
                                                      1 2 3 4   5 6 7 8   9 10 11 12 13 14
Query: viewer                                       | 0 + + +   + + + +   0 0 0 0 0 0
Query: user usersByIds                              | U + + +   0 0 + 0   + F F + + F
Query: userByEmail                                  | U + + +   0 0 + 0   F + F + + F
Query: user/absent usersByIds/absent                | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: userByEmail/absent                           | U 0 0 0   0 0 0 0   F 0 F 0 0 F
Query: userByEmail/inCapitals                       | U + + +   0 0 + 0   F + F + + F
Query: usersByEmails                                | U + + +   0 0 + 0   F + F + + F
Query: usersByEmails/absent                         | U 0 0 0   0 0 0 0   F 0 F 0 0 F
Query: viewerSession                                | 0 + 0 0   0 0 0 0   0 0 0 0 0 0
Query: users                                        | U F F F   F F + F   + F F + + F
Query: users/byEmail users/ofRole users/banned      | U F F F   F F + F   F F F + + F
Query: users/addressFound                           | U F F F   F F + F   [] F F + + F
Query: organization organizationBySlug              | U + + +   0 0 0 0   + F F + + F
Query: organizationsByIds                           | U + + +   0 0 0 0   + F F + + F
Query: organization/absent                          | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: organizationBySlug/absent                    | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: organizationsByIds/absent                    | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: fetch__User                                  | U + + +   0 0 + 0   + F F + + F
Query: fetch__Organization fetch__Member fetch__Team| U + + +   0 0 0 0   + F F + + F
Query: fetch__User/absent                           | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: fetch__Organization/absent                   | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: fetch__Member/absent fetch__Team/absent      | U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: organizationsBySlugs membersByIds team       | U + + +   0 0 0 0   + F F + + F
Query: organizationsBySlugs/absent membersByIds/absent team/absent| U 0 0 0   0 0 0 0   0 F F 0 0 F
Query: invitation                                   | U + 0 +   0 + 0 0   F F F + + F
Query: invitation/toTheCreatorRole                  | U + 0 0   0 0 0 0   F F F + + F
Query: invitation/accepted                          | U + 0 +   0 + 0 0   F F F + + F
Query: invitation/absent                            | U 0 0 0   0 0 0 0   F F F 0 0 F
Query: organizations                                | U F F F   F F F F   + F F + + F
Query: _entities                                    | U + + +   0 0 + 0   + F F + + F
Query: _entities/UserByEmail                        | U + + +   0 0 + 0   F + F + + F
Query: _entities/Organization                       | U + + +   0 0 0 0   + F F + + F
Query: _entities/OrganizationBySlug                 | U + + +   0 0 0 0   + F F + + F
Query: _entities/UserByName                         | U + 0 0   0 0 + 0   + F F + + F
Query: _entities/Member _entities/MemberByEnds      | U + + +   0 0 0 0   + F F + + F
Query: _entities/Team                               | U + + +   0 0 0 0   + F F + + F
Query: _entities/Invitation                         | U + 0 +   0 + 0 0   F F F + + F
Query: _service                                     | + + + +   + + + +   + + + + + +
_Service: sdl                                       | + + + +   + + + +   + + + + + +
Query: can                                          | U + + +   false false + false   F F + F + F
Query: can/aboutOneself                             | U + + false   false false false false   F F B F B F
Query: checkPermissions                             | U + + +   + + + +   F F + F + F
Query: checkPermissions/aboutOneself                | U + + +   + + + +   F F B F B F
PermissionDecision: allowed                         | . + + +   false false + false   . . + . + .
PermissionDecision: roles                           | . + + +   [] [] + [] . . + . + .
PermissionDecision: permission organizationId       | . + + +   + + + +   . . + . + .
PermissionDecision: userId source resolvedAt        | . + + +   + + + +   . . + . + .
PermissionDecision: ageSeconds                      | . + + +   + + + +   . . + . + .
Query: explainPermission                            | U + + +   + + + +   F F + F + F
Query: explainPermission/aboutOneself               | U + + +   + + + +   F F B F B F
PermissionExplanation: decision reason readAt       | . + + +   + + + +   . . + . + .
PermissionExplanation: allowed member               | . + + +   false false + false   . . + . + .
PermissionExplanation: active                       | . + + +   0 0 + 0   . . + . + .
PermissionExplanation: rows roles grantedBy         | . + + +   [] [] + []   . . + . + .
PermissionExplanation: grantingRoles                | . + + F   F F F F   . . + . + .
ExplainedRole: name grants source row               | . + + +   . . + .   . . + . + .
ExplainedRole: permissions                          | . + + F   . . F .   . . + . + .

User: id name image                                 | . + + +   . . + .   + . . + + .
User: username displayUsername createdAt updatedAt  | . + F F   . . + .   + . . + + .
User: email                                         | . + + +   . . + .   F . . + + .
User: emailVerified phoneNumber phoneNumberVerified | . + F F   . . + .   F . . + + .
User: isBanned                                      | . false F F   . . false .   F . . false false .
User: twoFactorEnabled isAnonymous role roles       | . + F F   . . + .   F . . + + .
User: banned banReason banExpires sessions lastLoginMethod| . + F F   . . + .   F . . + + .
User: accounts hasPassword                          | . + F F   . . F .   F . . + + .
User: receivedInvitations                           | . + F F   . . F .   F . . F F .
User: scimUsers                                     | . F F F   . . + .   F . . + + .
User: passkeys apiKeys connectedApps subscriptions  | . + F F   . . F .   F . . F F .
User: memberships organizations                     | . + + +   . . F .   + . . + + .
User: memberships/notShared organizations/notShared | . + [] [] . . F .   + . . + + .

User by e-mail: id name image email                 | . + + +   . . + .   . + . + + .
User by e-mail: username displayUsername createdAt  | . + F F   . . + .   . F . + + .
User by e-mail: updatedAt                           | . + F F   . . + .   . F . + + .
User by e-mail: isBanned                            | . false F F   . . false .   . false . false false .
User by e-mail: emailVerified phoneNumber role roles| . + F F   . . + .   . + . + + .
User by e-mail: phoneNumberVerified isAnonymous     | . + F F   . . + .   . + . + + .
User by e-mail: twoFactorEnabled banned banReason   | . + F F   . . + .   . + . + + .
User by e-mail: banExpires sessions lastLoginMethod | . + F F   . . + .   . + . + + .
User by e-mail: accounts hasPassword                | . + F F   . . F .   . + . + + .
User by e-mail: receivedInvitations passkeys apiKeys| . + F F   . . F .   . F . F F .
User by e-mail: scimUsers                           | . F F F   . . + .   . + . + + .
User by e-mail: connectedApps subscriptions         | . + F F   . . F .   . F . F F .
User by e-mail: memberships organizations           | . + + +   . . F .   . F . + + .

Inviter who has left: id name image                 | . + . +   . . . .   . . . + + .
Inviter who has left: username displayUsername      | . F . F   . . . .   . . . + + .
Inviter who has left: createdAt updatedAt           | . F . F   . . . .   . . . + + .
Inviter who has left: email emailVerified           | . F . F   . . . .   . . . + + .
Inviter who has left: phoneNumber                   | . F . F   . . . .   . . . + + .
Inviter who has left: phoneNumberVerified           | . F . F   . . . .   . . . + + .
Inviter who has left: twoFactorEnabled isAnonymous  | . F . F   . . . .   . . . + + .
Inviter who has left: isBanned                      | . F . F   . . . .   . . . false false .
Inviter who has left: role roles banned banReason   | . F . F   . . . .   . . . + + .
Inviter who has left: banExpires sessions accounts  | . F . F   . . . .   . . . + + .
Inviter who has left: lastLoginMethod hasPassword   | . F . F   . . . .   . . . + + .
Inviter who has left: scimUsers                     | . F . F   . . . .   . . . [] [] .
Inviter who has left: receivedInvitations passkeys  | . F . F   . . . .   . . . F F .
Inviter who has left: apiKeys connectedApps         | . F . F   . . . .   . . . F F .
Inviter who has left: subscriptions                 | . F . F   . . . .   . . . F F .
Inviter who has left: memberships organizations     | . F . F   . . . .   . . . + + .

Inviter to the caller: id name image                | . + . .   . + . .   . . . . . .
Inviter to the caller: username displayUsername     | . F . .   . F . .   . . . . . .
Inviter to the caller: createdAt updatedAt          | . F . .   . F . .   . . . . . .
Inviter to the caller: email emailVerified          | . F . .   . F . .   . . . . . .
Inviter to the caller: phoneNumber                  | . F . .   . F . .   . . . . . .
Inviter to the caller: phoneNumberVerified          | . F . .   . F . .   . . . . . .
Inviter to the caller: twoFactorEnabled isAnonymous | . F . .   . F . .   . . . . . .
Inviter to the caller: roles isBanned hasPassword   | . F . .   . F . .   . . . . . .
Inviter to the caller: role banned banReason        | . F . .   . F . .   . . . . . .
Inviter to the caller: banExpires sessions accounts | . F . .   . F . .   . . . . . .
Inviter to the caller: lastLoginMethod passkeys     | . F . .   . F . .   . . . . . .
Inviter to the caller: receivedInvitations apiKeys  | . F . .   . F . .   . . . . . .
Inviter to the caller: scimUsers                    | . F . .   . F . .   . . . . . .
Inviter to the caller: connectedApps subscriptions  | . F . .   . F . .   . . . . . .
Inviter to the caller: memberships organizations    | . F . .   . F . .   . . . . . .

Organization: id name slug logo metadata createdAt  | . + + +   . . . .   + . . + + .
Organization: members member teams                  | . + + +   . . . .   + . . + + .
Organization: member/ofAStranger                    | . 0 0 0   . . . .   0 . . 0 0 .
Organization: roles                                 | . + + F   . . . .   + . . + + .
Organization: invitations                           | . + F +   . . . .   F . . + + .
Organization: invitations/toTheCreatorRole          | . + F []  . . . .   F . . + + .
Organization: apiKeys ssoProviders subscriptions    | . + F F   . . . .   F . . F F .
Organization: members/addressFound                  | . + + +   . . . .   [] . . + + .
Organization: viewerMembership                      | . + + +   . . . .   0 . . 0 0 .
Organization: viewerPermissions                     | . + + +   . . . .   [] . . [] [] .
Organization: viewerCan                             | . + false + . . . . false . . false false .
Organization: viewerTeams                           | . + [] +  . . . .   [] . . [] [] .

Member: id roles createdAt user organization        | . + + +   . . . .   + . . + + .
Member: teams                                       | . + [] +  . . . .   + . . + + .
Member: permissions can                             | . + + +   . . . .   + . . + + .
MemberConnection: nodes edges pageInfo totalCount   | . + + +   . . . .   + . . + + .
MemberConnection: totalCountIsExact                 | . + + +   . . . .   + . . + + .
MemberEdge: cursor node                             | . + + +   . . . .   + . . + + .
PageInfo: hasNextPage startCursor endCursor         | . + + +   . . . .   + . . + + .
PageInfo: hasPreviousPage                           | . false false false . . . . false . . false false .

UserOrganizationConnection: nodes edges totalCount  | . + + +   . . . .   + . . + + .
UserOrganizationConnection: pageInfo totalCountIsExact| . + + +   . . . .   + . . + + .
UserOrganizationEdge: cursor node roles joinedAt    | . + + +   . . . .   + . . + + .

Team: id name createdAt organization                | . + + +   . . . .   + . . + + .
Team: members memberCount                           | . + F +   . . . .   + . . + + .
TeamConnection: nodes edges pageInfo totalCount     | . + + +   . . . .   + . . + + .
TeamConnection: totalCountIsExact                   | . + + +   . . . .   + . . + + .
TeamEdge: cursor node                               | . + + +   . . . .   + . . + + .
TeamMember: id createdAt user team                  | . + . +   . . . .   + . . + + .
TeamMemberConnection: nodes edges pageInfo          | . + . +   . . . .   + . . + + .
TeamMemberConnection: totalCount                    | . + . +   . . . .   + . . + + .
TeamMemberConnection: totalCountIsExact             | . + . +   . . . .   + . . + + .
TeamMemberEdge: cursor node                         | . + . +   . . . .   + . . + + .

Invitation: id email roles status expiresAt         | . + . +   . . . .   . . . + + .
Invitation: createdAt organization organizationName | . + . +   . . . .   . . . + + .
Invitation: isExpired                               | . false . false . . . . . . . false false .
Invitation: inviter teamIds teams                   | . + . +   . . . .   . . . + + .
InvitationConnection: nodes edges pageInfo          | . + . +   . . . .   . . . + + .
InvitationConnection: totalCount                    | . + . +   . . . .   . . . + + .
InvitationConnection: totalCountIsExact             | . + . +   . . . .   . . . + + .
InvitationEdge: cursor node                         | . + . +   . . . .   . . . + + .
Invitation to the caller: id email roles status     | . + . .   . + . .   . . . . . .
Invitation to the caller: expiresAt createdAt       | . + . .   . + . .   . . . . . .
Invitation to the caller: isExpired                 | . false . . . false . . . . . . . .
Invitation to the caller: teams                     | . 0 . .   . 0 . .   . . . . . .
Invitation to the caller: organization              | . 0 . .   . 0 . .   . . . . . .
Invitation to the caller: organizationName inviter  | . + . .   . + . .   . . . . . .
Invitation to the caller: teamIds                   | . + . .   . + . .   . . . . . .

Session: id createdAt updatedAt expiresAt ipAddress | . + . .   . . + .   . . . + + .
Session: userAgent activeOrganizationId             | . + . .   . . + .   . . . + + .
Session: isCurrent                                  | . + . .   . . 0 .   . . . 0 0 .
Session: activeOrganization activeTeam              | . + . .   . . 0 .   . . . + + .
Session: impersonator                               | . 0 . .   . . + .   . . . + + .
Session: impersonatedBy                             | . + . .   . . + .   . . . + + .
SessionConnection: nodes edges pageInfo totalCount  | . + . .   . . + .   . . . + + .
SessionConnection: totalCountIsExact                | . + . .   . . + .   . . . + + .
SessionEdge: cursor node                            | . + . .   . . + .   . . . + + .
Account: id providerId accountId scopes             | . + . .   . . . .   . . . + + .
Account: createdAt updatedAt                        | . + . .   . . . .   . . . + + .
Passkey: id name deviceType backedUp createdAt      | . + . .   . . . .   . . . . . .
Passkey: aaguid                                     | . + . .   . . . .   . . . . . .
ApiKey: id configId name start prefix enabled       | . + . .   . . . .   . . . . . .
ApiKey: expiresAt lastUsedAt remaining permissions  | . + . .   . . . .   . . . . . .
ApiKey: createdAt                                   | . + . .   . . . .   . . . . . .
ConnectedApp: id clientId name uri icon scopes      | . + . .   . . . .   . . . . . .
ConnectedApp: resources createdAt                   | . + . .   . . . .   . . . . . .
ScimUser: id active externalId displayName          | . . . .   . . + .   . . . + + .
SsoProvider: id providerId issuer domain            | . + . .   . . . .   . . . . . .
SsoProvider: domainVerified                         | . + . .   . . . .   . . . . . .
StripeSubscription: id plan status periodStart periodEnd  | . + . .   . . . .   . . . . . .
StripeSubscription: trialStart trialEnd cancelAt seats    | . + . .   . . . .   . . . . . .
StripeSubscription: cancelAtPeriodEnd canceledAt endedAt  | . + . .   . . . .   . . . . . .
StripeSubscription: billingInterval                       | . + . .   . . . .   . . . . . .
OrganizationRole: name permissions source           | . + + .   . . . .   + . . + + .

UserConnection: nodes edges pageInfo totalCount     | . . . .   . . + .   + . . + + .
UserConnection: totalCountIsExact                   | . . . .   . . + .   + . . + + .
UserEdge: cursor node                               | . . . .   . . + .   + . . + + .
OrganizationConnection: nodes edges pageInfo        | . . . .   . . . .   + . . + + .
OrganizationConnection: totalCount                  | . . . .   . . . .   + . . + + .
OrganizationConnection: totalCountIsExact           | . . . .   . . . .   + . . + + .
OrganizationEdge: cursor node                       | . . . .   . . . .   + . . + + .
`

const BY_NAME = 'User entity by user name'

export type Rule = Readonly<Record<Caller, Outcome>>

/** Rules by route, then by field or question. */
export const rules: ReadonlyMap<string, ReadonlyMap<string, Rule>> = withEntities(parse(table))

/**
 * What an app is shown that speaks for a user: what the user is, as far as a service with the same scopes is let there.
 * An address is found with both scopes on identities, and whoever is a platform admin is one with every scope alone.
 */
export function ruleOfApp(route: string, key: string, { of, scopes }: AppOfMatrix): Outcome {
  const rule = rules.get(route)?.get(key)
  if (!rule) throw new Error(`No rule for ${route}.${key}.`)
  const isWhole = scopes === 'identity:read identity:pii permissions:check'
  const user = rule[of === 'a platform admin' && !isWhole ? 'a stranger' : of]
  if (`${route}.${key}` === 'Query.viewer')
    return scopes.startsWith('identity:read') ? user : 'FORBIDDEN'
  // What a user signs in with is no app's.
  if (`${route}.${key}` === 'Query.viewerSession') return 'FORBIDDEN'
  const service = rule[asService(route, key, scopes)]
  const isOutOfReach = closedRoutes.some((name) => route.startsWith(name))
  if (user === 'unreached' || service === 'unreached' || isOutOfReach) return 'unreached'
  if (service === 'FORBIDDEN' || closedFields.includes(key)) return 'FORBIDDEN'
  const isLess = key.endsWith('addressFound') && service === 'empty' && user === 'value'
  return isLess ? 'empty' : user
}

/**
 * What a key of Acme is shown: what a service with the same scopes is of Acme and its members. An address is found with
 * both scopes on identities; the inviter who has left is no member, and other organizations of a member are not Acme.
 */
export function ruleOfOrganizationKey(
  route: string,
  key: string,
  scopes: AppOfMatrix['scopes'],
): Outcome {
  const rule = rules.get(route)?.get(key)
  if (!rule) throw new Error(`No rule for ${route}.${key}.`)
  const service = rule[byAddress(route, key) && scopes === 'identity:pii' ? 'no scope' : scopes]
  const isOutOfReach = [...closedRoutes, ...listRoutes].some((name) => route.startsWith(name))
  if (service === 'unreached' || isOutOfReach) return 'unreached'
  const isClosed =
    closedFields.includes(key) || /^Query.(users|organizations)(\/|$)/.test(`${route}.${key}`)
  if (isClosed) return 'FORBIDDEN'
  const isNarrowed = route === 'Inviter who has left' || key.endsWith('/notShared')
  // No co-member gets to somebody by a user name, and what they see of them is the same.
  const { 'a co-member who may invite and shares a team': narrowed } =
    rules.get(route.replace(BY_NAME, 'User'))?.get(key) ?? rule
  return isNarrowed && (service === 'value' || service === 'false') ? narrowed : service
}

/** Lists of everybody. */
const listRoutes = ['UserConnection', 'UserEdge', 'OrganizationConnection', 'OrganizationEdge']

/** What apps are never shown, and what lies behind it. */
const closedFields = [
  'lastLoginMethod',
  'scimUsers',
  'sessions',
  'accounts',
  'hasPassword',
  'receivedInvitations',
]
const closedRoutes = [
  'Session',
  'Account',
  'ScimUser',
  'Invitation to the caller',
  'Inviter to the caller',
]

/** What an app asks as a service would need other scopes for. */
function asService(route: string, key: string, scopes: AppOfMatrix['scopes']): Caller {
  if (byAddress(route, key) && scopes === 'identity:pii') return 'no scope'
  return ofInvitations(route, key) && scopes === 'identity:read'
    ? 'identity:read identity:pii'
    : scopes
}

/** An app needs to read alone for what its user may see of invitations, by their permission. */
function ofInvitations(route: string, key: string): boolean {
  return (
    /^(Invitation(Connection|Edge)?|Inviter who has left)$/.test(route) ||
    /^(_entities\/Invitation|invitations?)\b/.test(key)
  )
}

function byAddress(route: string, key: string): boolean {
  return /by e-mail|byEmail/i.test(`${route}.${key}`)
}

/** What enters as an entity shows what it shows from the field of Query with the same key; Acme's is shown as Ada's. */
function withEntities(rules: Map<string, Map<string, Rule>>) {
  const like: Readonly<Record<string, string>> = {
    'User entity': 'User',
    'User entity by e-mail': 'User by e-mail',
    'Organization entity': 'Organization',
    'Organization entity by slug': 'Organization',
    'Member entity': 'Member',
    'User fetched again': 'User',
    'Organization fetched again': 'Organization',
    'Member fetched again': 'Member',
    'Team fetched again': 'Team',
    'Member entity by its ends': 'Member',
    'Team entity': 'Team',
    'ApiKey of the organization': 'ApiKey',
    'StripeSubscription of the organization': 'StripeSubscription',
  }
  for (const [route, other] of Object.entries(like)) rules.set(route, new Map(rules.get(other)))
  // By a user name, those alone find somebody who are shown it.
  const named = rules.get('User')?.get('username')
  rules.set(
    BY_NAME,
    new Map(
      [...(rules.get('User') ?? [])].map(([key, rule]) => [
        key,
        Object.fromEntries(
          callers.map((caller) => [
            caller,
            named?.[caller] === 'FORBIDDEN' ? 'unreached' : rule[caller],
          ]),
        ) as Rule,
      ]),
    ),
  )
  return rules
}

function parse(text: string) {
  const rules = new Map<string, Map<string, Rule>>()
  for (const line of text.split('\n')) {
    const [, route = '', fields = '', outcomes = ''] = /^(.+?): (.+?)\|(.+)$/.exec(line) ?? []
    const of = rules.get(route) ?? new Map<string, Rule>()
    if (route !== '') rules.set(route, of)
    for (const field of words(fields)) {
      if (of.has(field)) throw new Error(`Two rules for ${route}.${field}.`)
      of.set(field, toRule(words(outcomes), `${route}.${field}`))
    }
  }
  return rules
}

function toRule(row: readonly string[], name: string): Rule {
  if (row.length !== callers.length) throw new Error(`${name} has ${row.length} outcomes.`)
  const entries = callers.map((caller, i) => [caller, toOutcome(row[i], name)])
  return Object.fromEntries(entries) as Rule
}

function toOutcome(sign: string | undefined, name: string): Outcome {
  const found = Object.entries(signs).find(([, written]) => written === sign)
  if (!found) throw new Error(`${name} has the unknown outcome ${sign}.`)
  return found[0] as Outcome
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}
