import type { BetterAuthOptions } from 'better-auth'
import {
  admin,
  anonymous,
  bearer,
  jwt,
  lastLoginMethod,
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
          user: { fields: columns('banReason', 'banExpires') },
          session: { fields: columns('impersonatedBy') },
        },
      }),
      jwt({
        jwks: { keyPairConfig: { alg: settings.algorithm } },
        jwt: { expirationTime: settings.tokenLifetime },
        schema: { jwks: table('jwks', 'publicKey', 'privateKey', 'createdAt', 'expiresAt') },
      }),
      username({ schema: { user: { fields: columns('displayUsername') } } }),
      phoneNumber({
        // Nobody is sent anything: numbers are set by the platform admin.
        sendOTP: () => {},
        schema: { user: { fields: columns('phoneNumber', 'phoneNumberVerified') } },
      }),
      twoFactor({
        schema: {
          user: { fields: columns('twoFactorEnabled') },
          twoFactor: table(
            'two_factors',
            'backupCodes',
            'userId',
            'failedVerificationCount',
            'lockedUntil',
          ),
        },
      }),
      anonymous({ schema: { user: { fields: columns('isAnonymous') } } }),
      lastLoginMethod({ storeInDatabase: true, schema: { user: columns('lastLoginMethod') } }),
      bearer(),
    ],
  } satisfies BetterAuthOptions
}

/** In snake case. */
function columns<Name extends string>(...fields: readonly Name[]): Record<Name, string> {
  const toSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.fromEntries(fields.map((name) => [name, toSnake(name)])) as Record<Name, string>
}

function table<Name extends string>(modelName: string, ...fields: readonly Name[]) {
  return { modelName, fields: columns(...fields) }
}

const coreTables = {
  user: {
    ...table('users', 'createdAt', 'updatedAt', 'emailVerified'),
    deleteUser: { enabled: true },
  },
  session: table(
    'sessions',
    'createdAt',
    'updatedAt',
    'expiresAt',
    'ipAddress',
    'userAgent',
    'userId',
  ),
  account: table(
    'accounts',
    'createdAt',
    'updatedAt',
    'accountId',
    'providerId',
    'userId',
    'accessToken',
    'refreshToken',
    'idToken',
    'accessTokenExpiresAt',
    'refreshTokenExpiresAt',
  ),
  verification: table('verifications', 'createdAt', 'updatedAt', 'expiresAt'),
}

const organizationTables = {
  session: { fields: columns('activeOrganizationId', 'activeTeamId') },
  organization: table('organizations', 'createdAt'),
  member: table('members', 'organizationId', 'userId', 'createdAt'),
  invitation: table(
    'invitations',
    'organizationId',
    'teamId',
    'expiresAt',
    'createdAt',
    'inviterId',
  ),
  team: table('teams', 'createdAt', 'updatedAt', 'organizationId', 'memberCount'),
  teamMember: table('team_members', 'teamId', 'userId', 'membershipKey', 'createdAt'),
  organizationRole: table('organization_roles', 'createdAt', 'updatedAt', 'organizationId'),
}
