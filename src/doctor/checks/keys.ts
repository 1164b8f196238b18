import { databaseKeySource, type KeySource, urlKeySource } from '../../auth/key-source.ts'
import { createSigningKeyRepository } from '../../postgres/signing-key.ts'
import type { Check, Examined, Finding } from '../finding.ts'

/** Whether there are keys to verify tokens with, of which kind, and until when. */
export const checkKeys: Check = async (examined) => {
  const { auth, service } = examined.config
  return [
    ...(auth.jwks === 'database' ? await ofTable(examined) : await ofUrl(auth.jwks, 'AUTH_JWKS')),
    ...(service ? await ofUrl(service.jwksUrl, 'SERVICE_JWKS_URL') : []),
    ...(service ? [ruleOf(service)] : []),
  ].flatMap((each) => ('keys' in each ? judge(each, auth.algorithms) : [each]))
}

function ruleOf({ subjects }: NonNullable<Examined['config']['service']>): Found {
  const marks = subjects?.map(({ claim, pattern }) => `${claim} is ${pattern}`).join(' or ')
  return {
    level: 'info',
    message: `A token of SERVICE_ISSUER is a service's where ${marks ?? 'sub is client_id or azp, or where it has neither'}; others are refused.`,
  }
}

interface KeySet {
  readonly where: string
  readonly keys: readonly { readonly alg?: string | undefined }[]
}

type Found = Omit<Finding, 'check'>

const SOON_MS = 24 * 3600 * 1000

async function ofTable({ database, tables }: Examined): Promise<readonly (KeySet | Found)[]> {
  if (!tables.has('Jwks'))
    return [
      {
        level: 'error',
        message:
          'AUTH_JWKS is database, but this database has no table of keys: add the jwt plug-in to Better Auth and run introspect, or set AUTH_JWKS to the URL of a JWKS.',
      },
    ]
  const repository = createSigningKeyRepository({ ...database, tables })
  const { keys } = await databaseKeySource(repository)()
  if (keys.length === 0)
    return [
      {
        level: 'error',
        message:
          'The jwks table has no usable key, so no token can be verified: Better Auth makes one when it first signs a token (GET /api/auth/token), and DATABASE_URL must be the database that it writes to.',
      },
    ]
  const ends = (await repository.findAll()).map(({ expiresAt }) => expiresAt)
  return [{ where: 'the jwks table', keys }, ...ofEnds(ends)]
}

function ofEnds(ends: readonly (Date | null)[]): readonly Found[] {
  const last = Math.max(...ends.map((end) => (end === null ? Number.POSITIVE_INFINITY : +end)))
  if (last > Date.now() + SOON_MS) return []
  const when = new Date(last).toISOString()
  return [
    {
      level: last > Date.now() ? 'info' : 'warning',
      message: `The last key to sign with ${last > Date.now() ? 'expires' : 'expired'} at ${when}; Better Auth makes a new one with the next token.`,
    },
  ]
}

async function ofUrl(url: URL, variable: string): Promise<readonly (KeySet | Found)[]> {
  const source: KeySource = urlKeySource(url)
  try {
    return [{ where: variable, keys: (await source()).keys }]
  } catch {
    return [
      {
        level: 'error',
        message: `No key set can be read from ${variable} (${url.origin}${url.pathname}): check the URL and that its server answers this machine.`,
      },
    ]
  }
}

function judge({ where, keys }: KeySet, accepted: readonly string[]): readonly Found[] {
  const algorithms = [...new Set(keys.map(({ alg = 'unnamed' }) => alg))]
  const usable = keys.filter(({ alg }) => alg === undefined || accepted.includes(alg))
  if (usable.length > 0)
    return [
      { level: 'info', message: `Keys in ${where}: ${keys.length} (${algorithms.join(', ')}).` },
    ]
  return [
    {
      level: 'error',
      message:
        keys.length === 0
          ? `There is no key in ${where}, so no token can be verified.`
          : `No key in ${where} is of an accepted algorithm (${algorithms.join(', ')}): add it to AUTH_ALGORITHMS.`,
    },
  ]
}
