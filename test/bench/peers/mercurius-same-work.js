import { createPublicKey, randomUUID } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import fastify from 'fastify'
import mercurius from 'mercurius'
import { pino } from 'pino'
import { loaders, query, resolvers, schema } from './mercurius-graph.js'

/*
 * The same graph with what a team adds before it goes into production: tokens are verified, with a cache; the account of
 * the caller is read with each request; people are shown to those who share an organization with them; depth and cost are
 * limited; every request has an id and a line in the log.
 */

const { ISSUER, SERVICE_ISSUER, SERVICE_JWKS_URL } = process.env
const LIMIT_COST = 10_000

const services = await (await fetch(SERVICE_JWKS_URL)).json()
const users = await query('keys', 'select id, public_key from jwks', [])
const keys = new Map(
  [
    ...services.keys,
    ...users.map(({ id, public_key }) => ({ ...JSON.parse(public_key), kid: id })),
  ].map((key) => [
    key.kid,
    createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
  ]),
)
const verify = createVerifier({
  key: async ({ header }) => keys.get(header.kid),
  cache: 10_000,
  allowedIss: [ISSUER, SERVICE_ISSUER],
  allowedAud: ISSUER,
})

const log = pino({ base: null }, pino.destination({ dest: 1, sync: false, minLength: 8192 }))
const app = fastify({
  genReqId: ({ headers }) => headers['x-request-id'] ?? randomUUID(),
  bodyLimit: 100_000,
  requestTimeout: 10_000,
})

app.addHook('onRequest', async (request, reply) => {
  reply.header('x-request-id', request.id)
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (!token) throw Object.assign(new Error('unauthenticated'), { statusCode: 401 })
  const { iss, sub, scope = '' } = await verify(token)
  request.caller =
    iss === SERVICE_ISSUER
      ? { kind: 'service', scopes: scope.split(' ') }
      : { kind: 'user', userId: sub }
})
app.addHook('onResponse', async (request, reply) => {
  const { id, method, url, caller } = request
  const durationMs = Math.round(reply.elapsedTime)
  log.info(
    {
      requestId: id,
      method,
      path: url,
      status: reply.statusCode,
      durationMs,
      caller: caller?.kind,
    },
    'request',
  )
})

await app.register(mercurius, {
  schema,
  resolvers: { ...resolvers, Query: { user, can } },
  loaders,
  jit: 1,
  queryDepth: 12,
  context: ({ caller }) => ({ caller }),
})

const costs = new WeakMap()
app.graphql.addHook('preExecution', async (_schema, document) => {
  let cost = costs.get(document)
  if (cost === undefined) {
    cost = document.definitions.reduce((sum, { selectionSet }) => sum + costOf(selectionSet), 0)
    costs.set(document, cost)
  }
  if (cost > LIMIT_COST) throw new Error('too costly')
})

await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${app.server.address().port}\n`)

async function user(root, args, { caller }) {
  if (caller.kind === 'service') {
    if (!caller.scopes.includes('identity:read')) throw forbidden()
    return resolvers.Query.user(root, args)
  }
  const [, visible, found] = await Promise.all([
    requireAccount(caller.userId),
    sees(caller.userId, args.id),
    resolvers.Query.user(root, args),
  ])
  return visible ? found : null
}

async function can(root, args, { caller }) {
  if (caller.kind === 'service') {
    if (!caller.scopes.includes('permissions:check')) throw forbidden()
  } else {
    if (caller.userId !== args.userId) throw forbidden()
    await requireAccount(caller.userId)
  }
  return resolvers.Query.can(root, args)
}

async function requireAccount(id) {
  const [account] = await query('account', 'select banned, ban_expires from users where id = $1', [
    id,
  ])
  const isBanned = account?.banned && !(account.ban_expires && account.ban_expires < new Date())
  if (!account || isBanned) throw forbidden()
}

async function sees(callerId, id) {
  if (callerId === id) return true
  const shared = await query(
    'shared',
    `select from members mine join members theirs on theirs.organization_id = mine.organization_id
     where mine.user_id = $1 and theirs.user_id = $2 limit 1`,
    [callerId, id],
  )
  return shared.length > 0
}

function forbidden() {
  return new mercurius.ErrorWithProps('forbidden', { code: 'FORBIDDEN' })
}

/** One for each field, times the page that it is on. */
function costOf(selectionSet) {
  let sum = 0
  for (const { arguments: given, selectionSet: below } of selectionSet?.selections ?? []) {
    const first = given?.find(({ name }) => name.value === 'first')?.value.value
    sum += Number(first ?? 1) * (1 + costOf(below))
  }
  return sum
}
