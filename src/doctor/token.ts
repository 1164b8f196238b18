import { createAuth } from '../auth/auth.ts'
import type { OpaqueReason, TokenReason } from '../auth/refused.ts'
import { loadConfig } from '../config/config.ts'
import type { Given } from '../config/group.ts'
import { readLayout } from '../config/layout.ts'
import type { Caller } from '../domain/caller.ts'
import { GatewayError } from '../domain/errors.ts'
import { ownerFunctions } from '../layout/owner-functions.ts'
import { openDatabase } from '../postgres/client.ts'
import type { Db } from '../postgres/db.ts'
import { createLookups } from '../postgres/session.ts'
import { createSigningKeyRepository } from '../postgres/signing-key.ts'
import { Tables } from '../postgres/tables.ts'
import { describeUnreachable } from '../postgres/unreachable.ts'
import { createVisibilityRepository } from '../postgres/visibility.ts'
import type { Report } from './doctor.ts'
import type { Finding } from './finding.ts'
import { compare, explainRefusal, readUnverified } from './refusal.ts'

/**
 * Whether a gateway with this environment would accept a token, and as whom, or which check refuses it. Of what the token
 * says only issuer, audience, key, type, times, whose it is, what it is bound to and what would mark it as a service's are
 * repeated.
 * @throws ConfigError
 */
export async function examineToken(environment: Given, token: string): Promise<Report> {
  const config = loadConfig(environment)
  const { url, schema, timestampZone } = config.database
  const layout = readLayout(config.database)
  const database = openDatabase({ ...config.database, layout, poolSize: 1 })
  const db = { ...database, tables: new Tables(layout, schema, timestampZone) }
  const troubles: string[] = []
  const { authenticator } = createAuth({
    ...config.auth,
    service: config.service,
    apiKeys: null,
    isFirstUse: null,
    // A proof is of one request.
    verifyProof: async () => {},
    origins: [],
    signingKeys: createSigningKeyRepository(db),
    lookups: createLookups(database, ownerFunctions(layout, config.database), () => {}),
    askers: { runShared: (work) => work(), waitFor: (work) => work },
    trouble: (what, why) => (error) =>
      troubles.push(why(error) ?? `${what} ${describeUnreachable(error, url)}`),
    onBack: () => {},
  })
  const said = readUnverified(token)
  const accepted = { ...config.auth, service: config.service }
  const found = (level: Finding['level'], ...sentences: readonly string[]): Finding => ({
    check: 'token',
    level,
    message: sentences.join(' '),
  })
  const verdict = async (): Promise<Finding> => {
    try {
      const isBound = said?.claims.cnf !== undefined
      const caller = await authenticator.authenticate(headersOf(token, isBound), 'POST')
      return (await lives(caller, db))
        ? found('info', describe(caller), ...(isBound ? [BOUND] : []))
        : found('error', describe(caller), INACTIVE)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      const refusal =
        error.code === 'UNAUTHENTICATED'
          ? explainRefusal(error.reason as TokenReason | OpaqueReason, error.cause, said, accepted)
          : `It cannot be checked. ${error.message}`
      return found('error', refusal, ...troubles)
    }
  }
  try {
    const first = await verdict()
    const findings = [first, ...(said ? [found('info', compare(said, accepted))] : [])]
    return { healthy: first.level !== 'error', findings, roleSql: null }
  } finally {
    await database.close()
  }
}

function headersOf(token: string, isBound: boolean) {
  const authorization = `${isBound ? 'DPoP' : 'Bearer'} ${token}`
  return { get: (name: string) => (name === 'authorization' ? authorization : null) }
}

function describe(caller: Caller): string {
  if (caller.kind === 'anonymous') return 'It says nothing.'
  if (caller.kind === 'user')
    return `It is a token of the user ${JSON.stringify(caller.userId)}${caller.impersonated ? ', as whom an admin acts' : ''}.`
  const scopes = [...caller.scopes].join(', ')
  const whose =
    caller.kind === 'delegated' && 'clientId' in caller.delegation
      ? `the app ${JSON.stringify(caller.delegation.clientId)} for the user ${JSON.stringify(caller.userId)}`
      : 'a service'
  return `It is a token of ${whose}, with ${scopes ? `the scopes ${scopes}` : 'no scope that counts here'}.`
}

const BOUND =
  'It is bound to a key (cnf.jkt): it counts as Authorization: DPoP alone, and with a proof that this key has signed for the request.'

const INACTIVE =
  'But no such user is there, or they are banned, or the app is disabled or the session over in which they consented to it, so whatever it asks is answered with UNAUTHENTICATED.'

/** As every request of a user asks anew. */
async function lives(caller: Caller, db: Db): Promise<boolean> {
  if (caller.kind !== 'user' && caller.kind !== 'delegated') return true
  const { userId } = caller
  const delegation = caller.kind === 'delegated' ? caller.delegation : null
  const { look } = createVisibilityRepository(db)
  const [sight] = await look([{ userId, delegation, organizationIds: [], userIds: [] }])
  return sight !== null
}
