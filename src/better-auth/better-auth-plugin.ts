import type { BetterAuthPlugin } from 'better-auth'
import { createAuthMiddleware, getSessionFromCtx } from 'better-auth/api'
import { Announcer } from './announcer.ts'
import { announcementOf } from './changes.ts'

export interface IdentityGatewayOptions {
  /** The REDIS_URL of the gateway. */
  readonly redisUrl: string
  /** The text of the REDIS_CA_FILE of the gateway. */
  readonly redisCa?: string
  /** The REDIS_SENTINEL_PASSWORD of the gateway. */
  readonly redisSentinelPassword?: string
  /** The REDIS_KEY_PREFIX of the gateway (`identity:`). */
  readonly keyPrefix?: string
}

export interface IdentityGatewayPlugin extends BetterAuthPlugin {
  readonly id: 'identity-gateway'
  /** Ends the connection to Redis; changes that could not be told yet never are. */
  close(): void
}

/**
 * A plug-in for Better Auth that tells identity gateways whose permissions changed, so that they forget what they have
 * cached within milliseconds, and what else changed, for those who subscribe there. It sees what is done through Better Auth's endpoints, not what other plug-ins or SQL do
 * to the tables. A Redis that fails or hangs neither fails nor delays a request of Better Auth.
 */
export function identityGateway(options: IdentityGatewayOptions): IdentityGatewayPlugin {
  let warn = (_error: Error): void => {}
  const announcer = new Announcer({
    ...options,
    keyPrefix: options.keyPrefix ?? 'identity:',
    onTrouble: (error) => warn(error),
  })
  const announceUser = async (user: { readonly id: string }) =>
    announcer.announce({ userId: user.id })
  /** Where they were a member is not known any more. */
  const announceDeleted = async (user: { readonly id: string }) =>
    announcer.announce({ userId: user.id, again: true })
  const announceSession = async (session: { readonly userId: string }) =>
    announcer.announce({ sessionsOf: session.userId })
  return {
    id: 'identity-gateway',
    init({ logger }) {
      warn = ({ message }) => logger.warn(`Identity gateways cannot be told of changes: ${message}`)
      announcer.connect()
      return {
        options: {
          databaseHooks: {
            user: { update: { after: announceUser }, delete: { after: announceDeleted } },
            session: {
              create: { after: announceSession },
              update: { after: announceSession },
              delete: { after: announceSession },
            },
          },
        },
      }
    },
    hooks: {
      after: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (context) => {
            const announcement = await announcementOf({
              path: context.path,
              body: context.body,
              returned: context.context.returned,
              findActiveOrganizationId: async () => {
                const found = await getSessionFromCtx(context).catch(() => null)
                return found?.session.activeOrganizationId
              },
            })
            if (announcement) announcer.announce(announcement)
          }),
        },
      ],
    },
    close: () => announcer.close(),
  }
}
