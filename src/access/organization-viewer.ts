import type { Caller, Scope } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import type { Subject } from '../domain/permission.ts'
import {
  type Audience,
  type GuardedOrganizationField,
  type GuardedUserField,
  undelegated,
} from './audiences.ts'
import { ClosedViewer, type ReachedUser } from './closed-viewer.ts'
import { PacedLoader } from './paced-loader.ts'
import { ServiceViewer } from './service-viewer.ts'
import type { ViewerSources } from './user-viewer.ts'

/**
 * A key of an organization is shown what its scopes would show a service, of that organization and of its members. That
 * the organization exists is read with who belongs to it.
 */
export class OrganizationViewer extends ClosedViewer {
  readonly #organizationId: string
  readonly #scopes: ReadonlySet<string>
  readonly #service: ServiceViewer
  readonly #members: PacedLoader<string, boolean>

  constructor(
    { organizationId, scopes }: Extract<Caller, { kind: 'organization' }>,
    sources: Pick<ViewerSources, 'visibility' | 'pace'>,
  ) {
    super()
    this.#organizationId = organizationId
    this.#scopes = scopes
    this.#service = new ServiceViewer(scopes)
    this.#members = new PacedLoader(
      async (userIds) => {
        const members = await sources.visibility.findMembers(organizationId, userIds)
        if (!members) throw new GatewayError('UNAUTHENTICATED', 'This organization does not exist.')
        return userIds.map((id) => members.has(id))
      },
      sources.pace,
      { maxBatchSize: 1000 },
    )
  }

  override requireCredential(): void {}

  override requireScope(scope: Scope): void {
    this.#service.requireScope(scope)
  }

  override async seesUser(id: string | null): Promise<boolean> {
    this.requireScope('identity:read')
    return this.#members.load(id ?? NOBODY)
  }

  override async seesOrganization(id: string | null): Promise<boolean> {
    this.requireScope('identity:read')
    await this.#members.load(NOBODY)
    return id === this.#organizationId
  }

  override async seesPermissionsOf({ userId, organizationId }: Subject): Promise<boolean> {
    this.requireScope('permissions:check')
    return (await this.#members.load(userId)) && organizationId === this.#organizationId
  }

  override searchesAddresses(): boolean {
    return this.#service.searchesAddresses()
  }

  override membershipsOf(): MembershipScope {
    return this.#scopes.has('identity:read') ? { organizationId: this.#organizationId } : 'none'
  }

  override requireOrganizationField(field: GuardedOrganizationField): void {
    this.#service.requireOrganizationField(field)
  }

  override showsTeamMembers(): boolean {
    return this.#service.showsTeamMembers()
  }

  override requireInvitation(): void {
    this.#service.requireInvitation()
  }

  override requireTeamMembers(): void {
    this.#service.requireTeamMembers()
  }

  override async requireList(): Promise<void> {
    throw new GatewayError('FORBIDDEN', 'This list is not for the key of an organization.')
  }

  override async requireUserField(user: ReachedUser, field: GuardedUserField): Promise<void> {
    if (undelegated.includes(field))
      throw new GatewayError(
        'FORBIDDEN',
        `The field ${field} is not for the key of an organization.`,
      )
    await super.requireUserField(user, field)
  }

  protected override async isIn(audience: readonly Audience[], user: ReachedUser | null) {
    const isReached = user === null || (await this.#members.load(user.id))
    return isReached && audience.some((name) => this.#scopes.has(name))
  }
}

/** No user's id, to ask about for whoever does not exist. */
const NOBODY = ''
