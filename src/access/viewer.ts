import DataLoader from 'dataloader'
import type { AdditionalAudience, AdditionalField } from '../domain/additional-field.ts'
import type { Caller, Scope } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import type { User } from '../domain/user.ts'
import type { VisibilityRepository } from '../domain/visibility.ts'
import {
  type GuardedOrganizationField,
  type GuardedUserField,
  organizationAudiences,
  type UserAudience,
  userAudiences,
} from './audiences.ts'
import type { Grants } from './grants.ts'

/**
 * Who sees what. A door is a field of Query, or a reference in `_entities`, which lets a caller in to an entity or shows nothing. Past it, edges are
 * narrowed, so that a user reaches only their own organizations and the members of those, and fields follow
 * audiences.ts. What one request asks at the same moment is answered by one statement, which also reads whether the
 * caller's own account still lives.
 */
export class Doors {
  readonly #caller: Caller
  readonly #adminRoles: readonly string[]
  readonly #grants: Grants
  readonly #visibility: VisibilityRepository
  #answers: DataLoader<Question, Answer, string> | undefined
  readonly #coMembers = new Set<string>()

  constructor(
    caller: Caller,
    options: {
      readonly visibility: VisibilityRepository
      readonly grants: Grants
      readonly platformAdminRoles: readonly string[]
    },
  ) {
    this.#caller = caller
    this.#adminRoles = options.platformAdminRoles
    this.#grants = options.grants
    this.#visibility = options.visibility
  }

  /**
   * The first question at every door but `viewer`: users may knock, services need the scope.
   * @throws GatewayError UNAUTHENTICATED or FORBIDDEN
   */
  enter(scope: Scope): void {
    this.requireCredential()
    this.requireScope(scope)
  }

  /** @throws GatewayError UNAUTHENTICATED for anonymous callers. */
  requireCredential(): void {
    if (this.#caller.kind === 'anonymous') throw unauthenticated()
  }

  /**
   * The door to lists of everything: for services with the scope, and for platform admins where they are let in.
   * @throws GatewayError UNAUTHENTICATED or FORBIDDEN
   */
  async enterList(scope: Scope, admins: 'platform admins too' | 'services only'): Promise<void> {
    this.enter(scope)
    if (this.#caller.kind === 'service') return
    const isAdmin = await this.isPlatformAdmin()
    if (admins === 'services only' || !isAdmin)
      throw new GatewayError('FORBIDDEN', 'This list is not for this caller.')
  }

  /** Whether personal data may be asked about at all: everyone but services without the scope. */
  mayAskForPersonalData(): boolean {
    return this.#caller.kind !== 'service' || this.#caller.scopes.has('identity:pii')
  }

  /** @throws GatewayError FORBIDDEN for a service without the scope. */
  requireScope(scope: Scope): void {
    if (this.#caller.kind === 'service' && !this.#caller.scopes.has(scope))
      throw new GatewayError('FORBIDDEN', `This needs the scope ${scope}.`)
  }

  /** The user who calls; `null` for services and anonymous callers. */
  async self(): Promise<User | null> {
    const { kind } = this.#caller
    return kind === 'user' ? (await this.#ask('user', this.#caller.userId)).self : null
  }

  /** Whether the caller is a platform admin, by the users table. */
  async isPlatformAdmin(): Promise<boolean> {
    const self = await this.self()
    return self !== null && this.#isAdmin(self)
  }

  /** `null` stands for a user who does not exist: it takes the same work and is as invisible as one who may not be seen. */
  async seesUser(id: string | null): Promise<boolean> {
    if (this.#caller.kind === 'service') return id !== null
    const answer = await this.#ask('user', id ?? '')
    return id !== null && (answer.visible || this.#isAdmin(answer.self))
  }

  /** Likewise for an organization. */
  async seesOrganization(id: string | null): Promise<boolean> {
    if (this.#caller.kind === 'service') return id !== null
    return (await this.#ask('organization', id ?? '')).visible
  }

  /** Which memberships of a user the caller may follow. */
  membershipsOf(userId: string): MembershipScope {
    const caller = this.#caller
    if (caller.kind === 'service') return caller.scopes.has('identity:read') ? 'all' : 'none'
    if (caller.kind === 'anonymous') return 'none'
    return caller.userId === userId ? 'all' : { sharedWith: caller.userId }
  }

  /** Every member that a user can reach is a co-member, so whoever is reached as one need not be asked about. */
  metAsMember(userId: string): void {
    this.#coMembers.add(userId)
  }

  /** @throws GatewayError FORBIDDEN when the caller is in no audience of this field of this user. */
  async requireUserField(userId: string, field: GuardedUserField): Promise<void> {
    if (!(await this.#isIn(userAudiences[field], userId)))
      throw new GatewayError('FORBIDDEN', `The field ${field} of this user is not for this caller.`)
  }

  /** @throws GatewayError FORBIDDEN when the caller is in no audience of this field of a user, an organization or a member. */
  async requireAdditional({ name, visibleTo }: AdditionalField, userId: string | null) {
    const isIn = userId === null ? this.#isAmong(visibleTo) : await this.#isIn(visibleTo, userId)
    if (!isIn) throw new GatewayError('FORBIDDEN', `The field ${name} is not for this caller.`)
  }

  /** @throws GatewayError FORBIDDEN when the caller has neither the permission, as of now, nor the scope. */
  async requireOrganizationField(
    organizationId: string,
    field: GuardedOrganizationField,
  ): Promise<void> {
    const { permission, scope } = organizationAudiences[field]
    this.enter(scope)
    if (this.#caller.kind !== 'user') return
    const subject = { organizationId, userId: this.#caller.userId }
    const grant = await this.#grants.of(subject, 'FRESH')
    if (!grant.permissions.includes(permission))
      throw new GatewayError('FORBIDDEN', `The field ${field} needs the permission ${permission}.`)
  }

  /** Every user who reaches an organization or a member is a member there. */
  #isAmong(audience: readonly AdditionalAudience[]): boolean {
    const caller = this.#caller
    if (caller.kind === 'service') return audience.some((name) => caller.scopes.has(name as Scope))
    return caller.kind === 'user' && audience.includes('member')
  }

  async #isIn(
    audience: readonly (UserAudience | AdditionalAudience)[],
    userId: string,
  ): Promise<boolean> {
    const caller = this.#caller
    if (caller.kind === 'anonymous') return false
    if (caller.kind === 'service') return audience.some((name) => caller.scopes.has(name as Scope))
    if (caller.userId === userId) return audience.includes('self')
    const forCoMembers = audience.includes('co-member')
    if (forCoMembers && this.#coMembers.has(userId)) return true
    const { visible, self } = await this.#ask('user', userId)
    return (forCoMembers && visible) || (audience.includes('platform admin') && this.#isAdmin(self))
  }

  /** Like Better Auth's own check, this does not trim the names. */
  #isAdmin({ role }: User): boolean {
    return role?.split(',').some((name) => this.#adminRoles.includes(name)) ?? false
  }

  async #ask(about: Question['about'], id: string): Promise<Answer> {
    this.#answers ??= new DataLoader((questions) => this.#look(questions), {
      cacheKeyFn: (question) => `${question.about}:${question.id}`,
      maxBatchSize: 1000,
    })
    return this.#answers.load({ about, id })
  }

  async #look(questions: readonly Question[]): Promise<(Answer | Error)[]> {
    if (this.#caller.kind !== 'user') throw unauthenticated()
    const { userId } = this.#caller
    const ids = (about: Question['about']) =>
      questions.filter((question) => question.about === about).map(({ id }) => id)
    const [sight] = await this.#visibility.look([
      {
        userId,
        organizationIds: ids('organization'),
        userIds: ids('user').filter((id) => id !== userId),
      },
    ])
    return questions.map(({ about, id }) => {
      if (!sight) return new GatewayError('UNAUTHENTICATED', 'This account is not active.')
      const visible =
        about === 'organization'
          ? sight.organizationIds.has(id)
          : id === userId || sight.coMemberIds.has(id)
      return { self: sight.self, visible }
    })
  }
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

function unauthenticated(): GatewayError {
  return new GatewayError('UNAUTHENTICATED', 'This needs a credential.')
}
