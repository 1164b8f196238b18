import { type GraphQLSchema, specifiedDirectives } from 'graphql'
import type { Features } from '../domain/features.ts'
import { defineAccount } from './account.ts'
import { defineAdditionalFields } from './additional.ts'
import { createBuilder } from './builder.ts'
import { defineChanges } from './changes.ts'
import { entitiesOf } from './entities.ts'
import { defineExplanation } from './explanation.ts'
import { defineFederation } from './federation.ts'
import { defineGrant } from './grant.ts'
import type { Graph } from './graph.ts'
import { defineInvitation } from './invitation.ts'
import { defineConnections } from './lists/connection.ts'
import { defineMember } from './member.ts'
import { defineMembership } from './membership.ts'
import { defineOrganization } from './organization.ts'
import { defineOrganizationRole } from './organization-role.ts'
import { definePermissionChecks } from './permission.ts'
import { defineApiKey } from './plugins/api-key.ts'
import { defineConnectedApp } from './plugins/connected-app.ts'
import { definePasskey } from './plugins/passkey.ts'
import { defineScimUser } from './plugins/scim-user.ts'
import { defineSsoProvider } from './plugins/sso-provider.ts'
import { defineSubscription } from './plugins/subscription.ts'
import { createRefs, hasTeams } from './refs.ts'
import { defineRelay, fetchable } from './relay.ts'
import { defineScalars } from './scalars.ts'
import { printSubgraph } from './sdl/subgraph.ts'
import { defineSession } from './session.ts'
import { defineTeam } from './team.ts'
import { defineUser } from './user.ts'
import { defineUserList } from './user-list.ts'

/** The graph of one database: whatever its tables can answer, in the order of concepts. */
export function createSchema(features: Features): GraphQLSchema {
  return build(defineGraph(features))
}

/**
 * The same graph as a subgraph of Apollo Federation 2.
 * @param options.prefix As `printSubgraph` has it: what it prints is told to composers. Types have their own names here still.
 */
export function createSubgraph(
  features: Features,
  { prefix, mostReferences }: { readonly prefix: string; readonly mostReferences: number },
): GraphQLSchema {
  const graph = defineGraph(features)
  const plain = createSchema(features)
  const entities = entitiesOf(plain)
  defineFederation(graph, { sdl: printSubgraph(plain, { prefix }), entities, mostReferences })
  return build(graph)
}

function build({ builder }: Graph): GraphQLSchema {
  const schema = builder.toSchema({ directives: [...specifiedDirectives, fetchable] })
  schema.description = DESCRIPTION
  return schema
}

const DESCRIPTION = `People, organizations, who belongs to them and what they may do there, as Better Auth keeps them: read as they are at this
moment, and never written. Begin with \`viewer\`. A refusal costs its own field and no more: that one is null, with an error
that says why, once where many in a list are refused alike. What is not there and what the caller may not see are the same null.`

function defineGraph(features: Features): Graph {
  const builder = createBuilder()
  const graph: Graph = { builder, refs: createRefs(builder, features), features }
  builder.queryType({ description: 'The doors into the graph. Reading is all it does.' })
  defineScalars(builder)
  defineConnections(builder)
  defineUser(graph)
  defineUserList(graph)
  const has = (...models: string[]) => models.every((model) => features.models.has(model))
  if (has('Account')) defineAccount(graph)
  if (has('Session')) defineSession(graph)
  if (has('Passkey')) definePasskey(graph)
  if (has('OauthConsent')) defineConnectedApp(graph)
  if (has('ScimUser')) defineScimUser(graph)
  if (features.organizations) {
    defineOrganization(graph)
    defineMember(graph)
    defineMembership(graph)
    defineGrant(graph)
    const checks = definePermissionChecks(graph)
    const roles = defineOrganizationRole(graph)
    defineExplanation(graph, { ...checks, ...roles })
    if (has('Invitation')) defineInvitation(graph)
    if (hasTeams(features)) defineTeam(graph)
    if (has('SsoProvider')) defineSsoProvider(graph)
  }
  if (has('Apikey')) defineApiKey(graph)
  if (has('Subscription')) defineSubscription(graph)
  defineChanges(graph)
  defineRelay(graph)
  defineAdditionalFields(graph)
  return graph
}
