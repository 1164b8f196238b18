import type { AdditionalField } from '../domain/additional-field.ts'
import { type Delegation, scopes as everyScope, type Scope } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import type { Grant, Subject } from '../domain/permission.ts'
import {
  type Audience,
  type GuardedOrganizationField,
  type GuardedUserField,
  type listAudiences,
  organizationAudiences,
  undelegated,
  userAudiences,
} from './audiences.ts'
import { ClosedViewer, type ReachedUser } from './closed-viewer.ts'
import { ServiceViewer } from './service-viewer.ts'
import { UserViewer, type ViewerSources } from './user-viewer.ts'

/**
 * An app that speaks for a user is shown what its scopes would show a service, of what the user sees. Every method asks
 * for the scope and then the user's own viewer, so that it can only be narrower. Somebody is a platform admin through an
 * app that has every scope alone.
 */
export class DelegatedViewer extends ClosedViewer {
  override readonly userId: string
  readonly #scopes: ReadonlySet<Scope>
  readonly #service: ServiceViewer
  readonly #user: UserViewer

  constructor(
    caller: {
      readonly userId: string
      readonly scopes: ReadonlySet<Scope>
      readonly delegation: Delegation
    },
    sources: ViewerSources,
  ) {
    super()
    const { userId, scopes, delegation } = caller
    const nobody = { roles: [], userIds: [] }
    const isWhole = everyScope.every((scope) => scopes.has(scope))
    const platformAdmins = isWhole ? sources.platformAdmins : nobody
    this.userId = userId
    this.#scopes = scopes
    this.#service = new ServiceViewer(scopes)
    this.#user = new UserViewer(userId, { ...sources, platformAdmins }, { delegation })
  }

  override requireCredential(): void {}

  override requireScope(scope: Scope): void {
    this.#service.requireScope(scope)
  }

  override async self() {
    this.requireScope('identity:read')
    return this.#user.self()
  }

  override async seesUser(id: string | null): Promise<boolean> {
    this.requireScope('identity:read')
    return this.#user.seesUser(id)
  }

  override async seesOrganization(id: string | null): Promise<boolean> {
    this.requireScope('identity:read')
    return this.#user.seesOrganization(id)
  }

  /** Also about oneself not before it is known that account, session and app live. */
  override async seesPermissionsOf(subject: Subject): Promise<boolean> {
    this.requireScope('permissions:check')
    const [sees] = await Promise.all([this.#user.seesPermissionsOf(subject), this.#user.self()])
    return sees
  }

  override searchesAddresses(): boolean {
    return this.#service.searchesAddresses() && this.#user.searchesAddresses()
  }

  override membershipsOf(userId: string): MembershipScope {
    return this.#scopes.has('identity:read') ? this.#user.membershipsOf(userId) : 'none'
  }

  override requireOrganizationField(field: GuardedOrganizationField, own: Grant | null): void {
    const { scope } = organizationAudiences[field]
    this.requireScope(scope === 'permissions:check' ? scope : 'identity:read')
    if (scope === null) throw new GatewayError('FORBIDDEN', `The field ${field} is not for apps.`)
    this.#user.requireOrganizationField(field, own)
  }

  override showsTeamMembers(isInTeam: boolean): boolean {
    return this.#scopes.has('identity:read') && this.#user.showsTeamMembers(isInTeam)
  }

  override requireInvitation(): void {
    this.requireScope('identity:read')
  }

  override async sessionId(): Promise<null> {
    throw new GatewayError('FORBIDDEN', 'The session of a user is not for apps.')
  }

  override requireTeamMembers(isInTeam: boolean): void {
    this.requireScope('identity:read')
    this.#user.requireTeamMembers(isInTeam)
  }

  override async requireList(list: keyof typeof listAudiences): Promise<void> {
    this.requireScope('identity:read')
    await this.#user.requireList(list)
  }

  override async requireUserField(user: ReachedUser, field: GuardedUserField): Promise<void> {
    this.#requireOneOf(undelegated.includes(field) ? [] : userAudiences[field], field)
    await this.#user.requireUserField(user, field)
  }

  override async requireAdditional(field: AdditionalField, user: ReachedUser | null) {
    this.#requireOneOf(field.visibleTo, field.name)
    await this.#user.requireAdditional(field, user)
  }

  /** What services are not shown by any scope, apps are not either. */
  #requireOneOf(audience: readonly Audience[], field: string): void {
    const scopes: ReadonlySet<string> = this.#scopes
    if (!audience.some((name) => scopes.has(name)))
      throw new GatewayError('FORBIDDEN', `The field ${field} is not for this app.`)
  }
}
