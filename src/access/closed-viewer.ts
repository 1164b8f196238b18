import type { AdditionalField } from '../domain/additional-field.ts'
import type { Scope } from '../domain/caller.ts'
import { GatewayError, isPermitted } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import type { Grant, Subject } from '../domain/permission.ts'
import type { User } from '../domain/user.ts'
import {
  type Audience,
  type GuardedOrganizationField,
  type GuardedUserField,
  listAudiences,
  userAudiences,
} from './audiences.ts'

/** A user whom the caller has reached. */
export interface ReachedUser {
  readonly id: string
  /** Said by the edge from a member to their user: every member whom a user reaches shares an organization with them. */
  readonly coMember?: true
}

/**
 * Everything the graph asks about its caller, answered for one without a credential: nothing is shown. The viewers of
 * other kinds of callers open what is theirs, one method at a time, so that what they do not mention stays shut.
 */
export class ClosedViewer {
  /** The user whose own things the fields called `viewer…` show; `null`: nobody's. */
  readonly userId: string | null = null

  /**
   * The id of the session that the caller calls with; `null`: with none, or nobody knows.
   * @throws GatewayError FORBIDDEN for whoever only speaks for a user.
   */
  async sessionId(): Promise<string | null> {
    return null
  }

  /** @throws GatewayError UNAUTHENTICATED */
  requireCredential(): void {
    throw new GatewayError('UNAUTHENTICATED', 'This needs a credential.')
  }

  /**
   * The first question at every door but `viewer`, and before a list is filtered by what it does not show. Users carry no
   * scopes and need none.
   * @throws GatewayError UNAUTHENTICATED or FORBIDDEN
   */
  requireScope(_scope: Scope): void {
    this.requireCredential()
  }

  /** The user who calls, as their row is now; `null` when no user does. */
  async self(): Promise<User | null> {
    return null
  }

  /** `null` stands for a user who does not exist: it takes the same work and is as invisible as one who may not be seen. */
  async seesUser(_id: string | null): Promise<boolean> {
    return false
  }

  /** `null` stands for an organization that does not exist. */
  async seesOrganization(_id: string | null): Promise<boolean> {
    return false
  }

  /** Whether the caller is told what somebody may do; otherwise they hear what is true of a stranger. */
  async seesPermissionsOf(_subject: Subject): Promise<boolean> {
    return false
  }

  /** Whether searches look through e-mail addresses as well. */
  searchesAddresses(): boolean {
    return false
  }

  /** Which memberships of a user the caller may follow. */
  membershipsOf(_userId: string): MembershipScope {
    return 'none'
  }

  /** @throws GatewayError FORBIDDEN unless what the caller may do in the organization now, or a scope, lets them. */
  requireOrganizationField(_field: GuardedOrganizationField, _own: Grant | null): void {
    this.requireCredential()
  }

  /** Whether an invitation to this address is one to the caller. */
  async isInvited(_email: string | null): Promise<boolean> {
    return false
  }

  /**
   * The door to one invitation.
   * @throws GatewayError UNAUTHENTICATED or FORBIDDEN
   */
  requireInvitation(): void {
    this.requireScope('identity:pii')
  }

  /** Whether `requireOrganizationField` lets the caller through. */
  showsOrganizationField(field: GuardedOrganizationField, own: Grant | null): boolean {
    try {
      this.requireOrganizationField(field, own)
      return true
    } catch (error) {
      if (error instanceof GatewayError) return false
      throw error
    }
  }

  /** Whether the caller is told who is in a team. */
  showsTeamMembers(_isInTeam: boolean): boolean {
    return false
  }

  /** @throws GatewayError FORBIDDEN unless the caller is in the team, or sees all. */
  requireTeamMembers(_isInTeam: boolean): void {
    this.requireCredential()
  }

  /**
   * The door to a list of everything.
   * @throws GatewayError UNAUTHENTICATED or FORBIDDEN
   */
  async requireList(list: keyof typeof listAudiences): Promise<void> {
    this.requireScope('identity:read')
    if (!(await this.isIn(listAudiences[list], null)))
      throw new GatewayError('FORBIDDEN', 'This list is not for this caller.')
  }

  /** @throws GatewayError FORBIDDEN when the caller is in no audience of this field of this user. */
  async requireUserField(user: ReachedUser, field: GuardedUserField): Promise<void> {
    if (!(await this.isIn(userAudiences[field], user)))
      throw refusalOf(`The field ${field} of this user is not for this caller.`)
  }

  /** Whether that is known at once, and they are: a page has hundreds of such fields, and none has to wait then. */
  showsUserField(user: ReachedUser, field: GuardedUserField): boolean {
    return this.isKnownIn(userAudiences[field], user)
  }

  /** Whether the caller may find this user by this field of theirs: those alone who are shown it. `null`: there is none. */
  async findsBy(field: GuardedUserField, user: ReachedUser | null): Promise<boolean> {
    const isShown = await isPermitted(this.requireUserField(user ?? NOBODY, field))
    return isShown && user !== null
  }

  /** @throws GatewayError FORBIDDEN when the caller is in no audience of this field; `null`: of no user. */
  async requireAdditional({ name, visibleTo }: AdditionalField, user: ReachedUser | null) {
    if (!(await this.isIn(visibleTo, user)))
      throw refusalOf(`The field ${name} is not for this caller.`)
  }

  /** Whether the caller is in one of the audiences of what belongs to this user, or with `null` to no user. */
  protected async isIn(audience: readonly Audience[], user: ReachedUser | null) {
    return this.isKnownIn(audience, user)
  }

  /** Whether that is so by what is known already. */
  protected isKnownIn(_audience: readonly Audience[], _user: ReachedUser | null): boolean {
    return false
  }
}

const refusals = new Map<string, GatewayError>()

/**
 * One of each field for all, because an answer may refuse thousands.
 * @param message Names a field of the graph and nothing that a caller says, so that there are few.
 */
function refusalOf(message: string): GatewayError {
  const known = refusals.get(message)
  if (known) return known
  const refusal = new GatewayError('FORBIDDEN', message)
  refusals.set(message, refusal)
  return refusal
}

/** Asked about where there is no user: that takes the same work. */
const NOBODY: ReachedUser = { id: '' }
