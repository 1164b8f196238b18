import type { JWK } from 'jose'
import { databaseKeySource, type KeySource, NoKeys } from '../../auth/key-source.ts'
import { describeSubjects } from '../../auth/service-subjects.ts'
import { urlKeySource } from '../../auth/url-key-source.ts'
import { findWeakness } from '../../auth/weak-keys.ts'
import { createSigningKeyRepository } from '../../postgres/signing-key.ts'
import type { Check, Examined, Finding } from '../finding.ts'

/** Whether there are keys to verify tokens with, of which kind, and until when. */
export const checkKeys: Check = async (examined) => {
  const { auth, service } = examined.config
  return [
    ...(auth.jwks === 'database' ? await ofTable(examined) : [await ofUrl(auth.jwks, 'AUTH_JWKS')]),
    ...(await Promise.all(
      (service?.keySets ?? []).map(({ jwksUrl }) => ofUrl(jwksUrl, 'SERVICE_JWKS_URL')),
    )),
    ...(service ? [ruleOf(service)] : []),
  ].flatMap((each) => ('keys' in each ? judge(each, auth.algorithms) : [each]))
}

function ruleOf({ subjects }: NonNullable<Examined['config']['service']>): Found {
  const { rule } = describeSubjects(subjects)
  return {
    level: 'info',
    message: `A token of SERVICE_ISSUER is a service's where ${rule} (SERVICE_SUBJECTS); others are refused.`,
  }
}

interface KeySet {
  readonly where: string
  readonly keys: readonly JWK[]
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
  const found = await ofSource(databaseKeySource(repository), 'the jwks table')
  const ends = (await repository.findAll()).map(({ expiresAt }) => expiresAt)
  return 'keys' in found ? [found, ...ofEnds(ends)] : [found]
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

function ofUrl(url: URL, variable: string): Promise<KeySet | Found> {
  return ofSource(urlKeySource(url, variable), variable)
}

async function ofSource(source: KeySource, where: string): Promise<KeySet | Found> {
  try {
    const { keys, lack } = await source()
    return lack === null ? { where, keys } : { level: 'error', message: lack }
  } catch (error) {
    if (error instanceof NoKeys) return { level: 'error', message: error.message }
    throw error
  }
}

function judge({ where, keys }: KeySet, accepted: readonly string[]): readonly Found[] {
  const algorithms = [...new Set(keys.map(({ alg = 'unnamed' }) => alg))].join(', ')
  const weak = keys.flatMap((key): Found[] => {
    const why = findWeakness(key)
    const message = `The key ${JSON.stringify(key.kid)} in ${where} is refused: ${why}. Take it away, and let its issuer make another.`
    return why === null ? [] : [{ level: 'error', message }]
  })
  const isUsable = keys.some(({ alg }) => alg === undefined || accepted.includes(alg))
  const message = isUsable
    ? `Keys in ${where}: ${keys.length} (${algorithms}).`
    : `No key in ${where} is of an accepted algorithm (${algorithms}): add it to AUTH_ALGORITHMS.`
  return [{ level: isUsable ? 'info' : 'error', message }, ...weak]
}
