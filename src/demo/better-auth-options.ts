import type { BetterAuthOptions } from 'better-auth'
import {
  admin,
  anonymous,
  bearer,
  jwt,
  organization,
  phoneNumber,
  twoFactor,
  username,
} from 'better-auth/plugins'
import type { Pool } from 'pg'
import { roles, statements } from './access-control.ts'

export interface IdentitySettings {
  /** Better Auth's origin, without a path. */
  readonly origin: string
  readonly pool: Pool
  readonly secret: string
  /** How long a JWT is good for, as a span such as `15m`. */
  readonly tokenLifetime: string
  readonly algorithm: 'EdDSA' | 'ES256' | 'ES512' | 'PS256' | 'RS256'
}

/** Better Auth with the plug-ins the gateway knows, over plural snake_case tables. */
export function betterAuthOptions({ origin, pool, ...settings }: IdentitySettings) {
  return {
    appName: 'Identity',
    baseURL: origin,
    trustedOrigins: [origin, origin.replace('127.0.0.1', 'localhost')],
    secret: settings.secret,
    database: pool,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { level: 'error' },
    emailAndPassword: { enabled: true },
    ...coreTables,
    plugins: [
      organization({
        ac: statements,
        roles,
        teams: { enabled: true },
        dynamicAccessControl: { enabled: true },
        membershipLimit: 100_000,
        invitationLimit: 100_000,
        schema: organizationTables,
      }),
      admin({
        schema: {
          user: { fields: { banReason: 'ban_reason', banExpires: 'ban_expires' } },
          session: { fields: { impersonatedBy: 'impersonated_by' } },
        },
      }),
      jwt({
        jwks: { keyPairConfig: { alg: settings.algorithm } },
        jwt: { expirationTime: settings.tokenLifetime },
        schema: {
          jwks: {
            modelName: 'jwks',
            fields: {
              publicKey: 'public_key',
              privateKey: 'private_key',
              createdAt: 'created_at',
              expiresAt: 'expires_at',
            },
          },
        },
      }),
      username({ schema: { user: { fields: { displayUsername: 'display_username' } } } }),
      phoneNumber({
        // Nobody is sent anything: numbers are set by the platform admin.
        sendOTP: () => {},
        schema: {
          user: {
            fields: {
              phoneNumber: 'phone_number',
              phoneNumberVerified: 'phone_number_verified',
            },
          },
        },
      }),
      twoFactor({
        schema: {
          user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
          twoFactor: {
            modelName: 'two_factors',
            fields: {
              backupCodes: 'backup_codes',
              userId: 'user_id',
              failedVerificationCount: 'failed_verification_count',
              lockedUntil: 'locked_until',
            },
          },
        },
      }),
      anonymous({ schema: { user: { fields: { isAnonymous: 'is_anonymous' } } } }),
      bearer(),
    ],
  } satisfies BetterAuthOptions
}

const timestamps = { createdAt: 'created_at', updatedAt: 'updated_at' }

const coreTables = {
  user: {
    modelName: 'users',
    fields: { ...timestamps, emailVerified: 'email_verified' },
    deleteUser: { enabled: true },
  },
  session: {
    modelName: 'sessions',
    fields: {
      ...timestamps,
      expiresAt: 'expires_at',
      ipAddress: 'ip_address',
      userAgent: 'user_agent',
      userId: 'user_id',
    },
  },
  account: {
    modelName: 'accounts',
    fields: {
      ...timestamps,
      accountId: 'account_id',
      providerId: 'provider_id',
      userId: 'user_id',
      accessToken: 'access_token',
      refreshToken: 'refresh_token',
      idToken: 'id_token',
      accessTokenExpiresAt: 'access_token_expires_at',
      refreshTokenExpiresAt: 'refresh_token_expires_at',
    },
  },
  verification: {
    modelName: 'verifications',
    fields: { ...timestamps, expiresAt: 'expires_at' },
  },
}

const organizationTables = {
  session: {
    fields: { activeOrganizationId: 'active_organization_id', activeTeamId: 'active_team_id' },
  },
  organization: { modelName: 'organizations', fields: { createdAt: 'created_at' } },
  member: {
    modelName: 'members',
    fields: { organizationId: 'organization_id', userId: 'user_id', createdAt: 'created_at' },
  },
  invitation: {
    modelName: 'invitations',
    fields: {
      organizationId: 'organization_id',
      teamId: 'team_id',
      expiresAt: 'expires_at',
      createdAt: 'created_at',
      inviterId: 'inviter_id',
    },
  },
  team: {
    modelName: 'teams',
    fields: { ...timestamps, organizationId: 'organization_id', memberCount: 'member_count' },
  },
  teamMember: {
    modelName: 'team_members',
    fields: {
      teamId: 'team_id',
      userId: 'user_id',
      membershipKey: 'membership_key',
      createdAt: 'created_at',
    },
  },
  organizationRole: {
    modelName: 'organization_roles',
    fields: { ...timestamps, organizationId: 'organization_id' },
  },
}
