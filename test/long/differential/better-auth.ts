import { expect } from 'vitest'
import { emptyIfRefused, type Kind, leftOut, withoutExpired, withScopesSplit } from './intended.ts'
import type { Caller } from './population.ts'
import { inOrder, type Json, type OrganizationView, type Shown, type View } from './view.ts'

/** What Better Auth's HTTP API shows a caller. */
export class BetterAuthView {
  readonly #url: string
  readonly #session: string
  /** `kind.key` of everything that was left out. */
  readonly #leftOut: Set<string>

  constructor(url: string, { session }: Caller, found: Set<string>) {
    this.#url = url
    this.#session = session
    this.#leftOut = found
  }

  async read(organizationIds: readonly string[], teamIds: TeamIds): Promise<View> {
    const views: [string, OrganizationView | 'refused'][] = []
    for (const id of organizationIds) views.push([id, await this.#readOne(id, teamIds.get(id))])
    return {
      organizations: await this.#list('organization', '/organization/list'),
      teams: await this.#list('team', '/organization/list-user-teams'),
      received: emptyIfRefused(await this.#list('received', '/organization/list-user-invitations')),
      sessions: await this.#list('session', '/list-sessions'),
      accounts: await this.#list('account', '/list-accounts'),
      users: await this.#list('user', '/admin/list-users?limit=1000', 'users'),
      in: Object.fromEntries(views),
    }
  }

  /** As platform admin. */
  async readSessionsOf(userId: string): Promise<Shown> {
    return withoutExpired(
      await this.#list('session', '/admin/list-user-sessions', 'sessions', { userId }),
    )
  }

  /** Refused when every operation is refused; two operations that show the same must agree. */
  async #readOne(
    id: string,
    teamIds: readonly string[] = [],
  ): Promise<OrganizationView | 'refused'> {
    const of = `?organizationId=${id}`
    const full = await this.#ask(`/organization/get-full-organization${of}`)
    const members = await this.#list('member', `/organization/list-members${of}`, 'members')
    const invitations = await this.#list('invitation', `/organization/list-invitations${of}`)
    const teams = await this.#list('team', `/organization/list-teams${of}`)
    const roles = await this.#list('role', `/organization/list-roles${of}`)
    const teamMembers: Record<string, Shown> = {}
    for (const teamId of teamIds)
      teamMembers[teamId] = await this.#list(
        'teamMember',
        `/organization/list-team-members?teamId=${teamId}`,
      )
    if (full === 'refused') {
      agree(id, 'refused', members, invitations, teams, roles, ...Object.values(teamMembers))
      return 'refused'
    }
    const { members: fullMembers, invitations: fullInvitations, teams: fullTeams, ...rest } = full
    agree('members', members, this.#shape('member', fullMembers))
    agree('teams', teams, this.#shape('team', fullTeams))
    // Here whoever may not see them is told of none.
    const allowed = invitations === 'refused' ? [] : invitations
    agree('invitations', allowed, this.#shape('invitation', fullInvitations))
    const [organization = {}] = this.#shape('organization', [rest])
    return { organization, members, invitations, teams, teamMembers, roles }
  }

  async #list(kind: Kind, path: string, key?: string, body?: Json): Promise<Shown> {
    const answer = await this.#ask(path, body)
    return answer === 'refused' ? answer : this.#shape(kind, key ? answer[key] : answer)
  }

  #shape(kind: Kind, items: unknown): readonly Json[] {
    const reasons: Readonly<Record<string, string>> = leftOut[kind]
    return inOrder(
      (items as Json[]).map((item) => {
        const kept = Object.entries(item).filter(([key]) => {
          if (Object.hasOwn(reasons, key)) this.#leftOut.add(`${kind}.${key}`)
          return !Object.hasOwn(reasons, key)
        })
        return readable(kind, Object.fromEntries(kept))
      }),
    )
  }

  /** @throws Error for anything but an answer or a refusal. */
  async #ask(path: string, body?: Json): Promise<Json | 'refused'> {
    const response = await fetch(`${this.#url}${path}`, {
      headers: { authorization: `Bearer ${this.#session}`, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    if (response.ok) return (await response.json()) as Json
    const text = await response.text()
    if (![400, 403].includes(response.status))
      throw new Error(`${path}: ${response.status} ${text}`)
    return 'refused'
  }
}

/** Ids of the teams of each organization. */
export type TeamIds = ReadonlyMap<string, readonly string[]>

/** Text that Better Auth leaves for its readers to parse, parsed. */
function readable(kind: Kind, item: Json): Json {
  if (kind === 'organization' && typeof item.metadata === 'string')
    return { ...item, metadata: JSON.parse(item.metadata) }
  if (kind === 'account') return withScopesSplit(item)
  if (kind !== 'role') return item
  const permission = Object.entries(item.permission as Record<string, string[]>)
  return {
    ...item,
    permission: permission
      .flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`))
      .toSorted(),
  }
}

function agree(what: string, ...answers: readonly Shown[]): void {
  for (const answer of answers) expect(answer, what).toEqual(answers[0])
}
