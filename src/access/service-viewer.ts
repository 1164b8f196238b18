import type { Scope } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import type { MembershipScope } from '../domain/member.ts'
import { type Audience, type GuardedOrganizationField, organizationAudiences } from './audiences.ts'
import { ClosedViewer } from './closed-viewer.ts'

/** A service sees of everybody what its scopes say. */
export class ServiceViewer extends ClosedViewer {
  readonly #scopes: ReadonlySet<Scope>

  constructor(scopes: ReadonlySet<Scope>) {
    super()
    this.#scopes = scopes
  }

  override requireCredential(): void {}

  override requireScope(scope: Scope): void {
    if (!this.#scopes.has(scope))
      throw new GatewayError('FORBIDDEN', `This needs the scope ${scope}.`)
  }

  /** The door has asked for its scope. */
  override async seesUser(id: string | null): Promise<boolean> {
    return id !== null
  }

  override async seesOrganization(id: string | null): Promise<boolean> {
    return id !== null
  }

  override async seesPermissionsOf(): Promise<boolean> {
    return this.#scopes.has('permissions:check')
  }

  override searchesAddresses(): boolean {
    return this.#scopes.has('identity:pii')
  }

  override membershipsOf(): MembershipScope {
    return this.#scopes.has('identity:read') ? 'all' : 'none'
  }

  override requireOrganizationField(field: GuardedOrganizationField): void {
    const { scope } = organizationAudiences[field]
    if (scope === null)
      throw new GatewayError('FORBIDDEN', `The field ${field} is for members alone.`)
    this.requireScope(scope)
  }

  override showsTeamMembers(): boolean {
    return this.#scopes.has('identity:read')
  }

  override requireInvitation(): void {
    this.requireScope('identity:read')
    this.requireScope('identity:pii')
  }

  override requireTeamMembers(): void {
    this.requireScope('identity:read')
  }

  protected override isKnownIn(audience: readonly Audience[]): boolean {
    const scopes: ReadonlySet<string> = this.#scopes
    return audience.some((name) => scopes.has(name))
  }
}
