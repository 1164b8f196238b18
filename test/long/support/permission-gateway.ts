import { createGateway, type Gateway, loadConfig } from '../../../src/gateway.ts'
import { createLogger } from '../../../src/telemetry/log.ts'
import type { Identity } from '../../support/identity.ts'
import type { ServiceIssuer } from '../../support/tokens.ts'
import { isDynamic, type RoleSet } from './role-sets.ts'

export interface Check {
  readonly organizationId: string
  readonly userId: string
  /** `resource:action` */
  readonly permission: string
}

/** At most this many are asked at once. */
const MOST_CHECKS = 100

/** A gateway that is told the same roles as a Better Auth, asked as a service. */
export class PermissionGateway {
  readonly #gateway: Gateway
  readonly #token: string

  constructor(gateway: Gateway, token: string) {
    this.#gateway = gateway
    this.#token = token
  }

  /** Whether each of these is allowed now, in their order. */
  async check(checks: readonly Check[]): Promise<boolean[]> {
    const answers: boolean[] = []
    for (let from = 0; from < checks.length; from += MOST_CHECKS)
      answers.push(...(await this.#checkOnce(checks.slice(from, from + MOST_CHECKS))))
    return answers
  }

  close(): Promise<void> {
    return this.#gateway.close()
  }

  async #checkOnce(checks: readonly Check[]): Promise<boolean[]> {
    const query = `query ($checks: [PermissionCheckInput!]!) {
      checkPermissions(checks: $checks, consistency: FRESH) { allowed } }`
    const response = await this.#gateway.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${this.#token}`,
        },
        body: JSON.stringify({ query, variables: { checks } }),
      }),
    )
    const { data, errors } = (await response.json()) as {
      data?: { checkPermissions: { allowed: boolean }[] } | null
      errors?: unknown
    }
    if (errors || !data) throw new Error(`The gateway answered ${JSON.stringify(errors)}`)
    return data.checkPermissions.map(({ allowed }) => allowed)
  }
}

export async function startPermissionGateway(
  identity: Identity,
  services: ServiceIssuer,
  roleSet: RoleSet,
): Promise<PermissionGateway> {
  const config = loadConfig({
    DATABASE_URL: identity.readOnlyUrl,
    DATABASE_POOL_SIZE: '2',
    AUTH_ISSUER: identity.betterAuth.issuer,
    ...services.environment,
    DYNAMIC_ACCESS_CONTROL: isDynamic(roleSet) ? 'on' : 'off',
  })
  const accessControl = roleSet.roles && { roles: roleSet.roles }
  const gateway = createGateway(
    { ...config, permissions: { ...config.permissions, accessControl } },
    { log: createLogger('error') },
  )
  return new PermissionGateway(gateway, await services.token('permissions:check'))
}
