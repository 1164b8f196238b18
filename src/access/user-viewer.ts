import type { Delegation } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import type { Grant, Subject } from '../domain/permission.ts'
import type { User } from '../domain/user.ts'
import type { VisibilityRepository } from '../domain/visibility.ts'
import {
  type Audience,
  type GuardedOrganizationField,
  type OrganizationAudience,
  organizationAudiences,
} from './audiences.ts'
import { ClosedViewer, type ReachedUser } from './closed-viewer.ts'
import { type Pace, PacedLoader } from './paced-loader.ts'

export interface ViewerSources {
  readonly visibility: VisibilityRepository
  readonly platformAdmins: {
    readonly roles: readonly string[]
    readonly userIds: readonly string[]
  }
  /** The role that whoever creates an organization gets, which only its holders may hand out. */
  readonly creatorRole: string
  /** Absent: what is asked in one moment is asked of the database when that has passed. */
  readonly pace?: Pace
}

/**
 * A user sees what Better Auth's own API would show them; a platform admin, who is one by the users table, sees everybody.
 * What is asked at one moment is answered by one statement, which also reads whether the user's own account still lives.
 */
export class UserViewer extends ClosedViewer {
  override readonly userId: string
  readonly #sources: ViewerSources
  readonly #delegation: Delegation | null
  readonly #findSession: () => Promise<string | null>
  #session: Promise<string | null> | undefined
  #self: User | undefined
  #answers: PacedLoader<Question, Answer, string> | undefined

  /**
   * @param by Through whom the user asks, where nothing is for them once that has ended, and what finds the session they
   * ask with.
   */
  constructor(
    userId: string,
    sources: ViewerSources,
    by: {
      readonly delegation?: Delegation
      readonly findSession?: (() => Promise<string | null>) | undefined
    } = {},
  ) {
    super()
    this.userId = userId
    this.#sources = sources
    this.#delegation = by.delegation ?? null
    this.#findSession = by.findSession ?? unknown
  }

  override sessionId(): Promise<string | null> {
    this.#session ??= this.#findSession()
    return this.#session
  }

  override requireCredential(): void {}

  override requireScope(): void {}

  override requireInvitation(): void {}

  /** As of what they have received: not before they have shown that the address is theirs. */
  override async isInvited(email: string | null): Promise<boolean> {
    const self = await this.self()
    return self.emailVerified && email !== null && email.toLowerCase() === self.email.toLowerCase()
  }

  override showsTeamMembers(isInTeam: boolean): boolean {
    return isInTeam
  }

  override async self(): Promise<User> {
    return this.#self ?? (await this.#ask('user', this.userId)).self
  }

  override async seesUser(id: string | null): Promise<boolean> {
    const { visible, self } = await this.#ask('user', id ?? '')
    return id !== null && (visible || this.#isAdmin(self))
  }

  override async seesOrganization(id: string | null): Promise<boolean> {
    return (await this.#ask('organization', id ?? '')).visible
  }

  /** About oneself, the answer's own bound holds for the account as well. */
  override async seesPermissionsOf({ userId, organizationId }: Subject): Promise<boolean> {
    if (userId === this.userId) return true
    const [sees, self] = await Promise.all([this.seesOrganization(organizationId), this.self()])
    return sees || this.#isAdmin(self)
  }

  override searchesAddresses(): boolean {
    return true
  }

  override membershipsOf(userId: string): MembershipScope {
    return userId === this.userId ? 'all' : { sharedWith: this.userId }
  }

  override requireOrganizationField(field: GuardedOrganizationField, own: Grant | null): void {
    const { permission, roles = [], creators }: OrganizationAudience = organizationAudiences[field]
    const isPermitted = permission !== undefined && own?.permissions.includes(permission)
    const needed = creators ? [...roles, this.#sources.creatorRole] : roles
    if (isPermitted || own?.roles.some((role) => needed.includes(role))) return
    const all = [
      ...(permission ? [`the permission ${permission}`] : []),
      ...needed.map((role) => `the role ${role}`),
    ]
    throw new GatewayError('FORBIDDEN', `The field ${field} needs ${all.join(' or ')}.`)
  }

  override requireTeamMembers(isInTeam: boolean): void {
    if (!isInTeam)
      throw new GatewayError('FORBIDDEN', 'The members of a team are for those who are in it.')
  }

  protected override async isIn(
    audience: readonly Audience[],
    user: ReachedUser | null,
  ): Promise<boolean> {
    if (this.isKnownIn(audience, user)) return true
    if (user?.id === this.userId) return false
    const forCoMembers = audience.includes('co-member')
    if (forCoMembers && (await this.#ask('user', user?.id ?? this.userId)).visible) return true
    // Also asked when it does not matter, because nothing is for an account that is no longer active.
    const self = await this.self()
    return audience.includes('platform admin') && this.#isAdmin(self)
  }

  protected override isKnownIn(audience: readonly Audience[], user: ReachedUser | null): boolean {
    // Every user who reaches an organization or a member is a member there.
    if (user === null) return audience.includes('member')
    if (user.id === this.userId) return audience.includes('self')
    return user.coMember === true && audience.includes('co-member')
  }

  /** Like Better Auth's own check, this does not trim the names. */
  #isAdmin({ id, role }: User): boolean {
    const { roles, userIds } = this.#sources.platformAdmins
    return userIds.includes(id) || (role?.split(',').some((name) => roles.includes(name)) ?? false)
  }

  #ask(about: Question['about'], id: string): Promise<Answer> {
    this.#answers ??= new PacedLoader((questions) => this.#look(questions), this.#sources.pace, {
      cacheKeyFn: (question) => `${question.about}:${question.id}`,
      maxBatchSize: 1000,
    })
    return this.#answers.load({ about, id })
  }

  async #look(questions: readonly Question[]): Promise<(Answer | Error)[]> {
    const { userId } = this
    const ids = (about: Question['about']) =>
      questions.filter((question) => question.about === about).map(({ id }) => id)
    const userIds = ids('user').filter((id) => id !== userId)
    const [sight] = await this.#sources.visibility.look([
      { userId, delegation: this.#delegation, organizationIds: ids('organization'), userIds },
    ])
    // Every answer says who asks, so that thousands of fields that are for admins alone need no question of their own.
    this.#self ??= sight?.self
    return questions.map(({ about, id }) => {
      if (!sight) return new GatewayError('UNAUTHENTICATED', 'This account is not active.')
      const { self, organizationIds, coMemberIds } = sight
      const seen = about === 'organization' ? organizationIds : coMemberIds
      return { self, visible: seen.has(id) || (about === 'user' && id === userId) }
    })
  }
}

async function unknown(): Promise<null> {
  return null
}

interface Question {
  readonly about: 'user' | 'organization'
  /** Empty when there is nobody to ask about. */
  readonly id: string
}

interface Answer {
  readonly self: User
  readonly visible: boolean
}
