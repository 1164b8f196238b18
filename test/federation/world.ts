import { composeServices as composeByApollo } from '@apollo/composition'
import { composeServices as composeByGuild } from '@theguild/federation-composition'
import { type DocumentNode, parse } from 'graphql'
import { printGraph } from '../../src/gateway.ts'
import { startServer } from '../../src/http/server.ts'
import { changeTriggerStatements } from '../../src/layout/change-trigger-sql.ts'
import { gatewayFor } from '../support/gateway.ts'
import { type Identity, startIdentity } from '../support/identity.ts'
import { layout } from '../support/layout.ts'
import { recordStatements } from '../support/sql-log.ts'
import { type ServiceIssuer, startServiceIssuer } from '../support/tokens.ts'
import {
  type Router,
  type SubscribingRouter,
  startApolloGateway,
  startHiveGateway,
  startStitched,
} from './routers.ts'
import {
  type Invoice,
  type LeaveRequest,
  type Service,
  startBillingService,
  startLeaveService,
} from './services.ts'

/** The gateway over HTTP beside two other services, and every router in front of the three. */
export interface World {
  readonly identity: Identity
  readonly services: ServiceIssuer
  /** What the other services hold; tests fill them. */
  readonly leaveRequests: LeaveRequest[]
  readonly invoices: Invoice[]
  readonly routers: Readonly<Record<RouterName, Router>>
  /** One of them, which passes subscriptions on. */
  readonly hive: SubscribingRouter
  /** Hive Gateway in front of the graph that is printed with authorization. */
  readonly guarded: Router
  /** What some work asks of the gateway: its requests to `/graphql`, and its SQL statements. */
  costOf(work: () => Promise<unknown>): Promise<{ requests: number; statements: number }>
  stop(): Promise<void>
}

export const routerNames = ['Apollo Gateway', 'Hive Gateway', 'a stitched schema'] as const
export type RouterName = (typeof routerNames)[number]

export async function startWorld(): Promise<World> {
  const identity = await startIdentity()
  await identity.sql(changeTriggerStatements(layout, 'public').join(';\n'))
  const services = await startServiceIssuer()
  const gateway = gatewayFor(identity, {
    FEDERATION: 'on',
    PERMISSION_EVENTS: 'postgres',
    ...services.environment,
  })
  let requests = 0
  const server = await startServer(
    {
      ...gateway,
      node: (request, response) => {
        requests++
        gateway.node(request, response)
      },
    },
    { host: '127.0.0.1', port: 0 },
  )
  const url = `${server.url}/graphql`
  const leaveRequests: LeaveRequest[] = []
  const invoices: Invoice[] = []
  const leave = await startLeaveService(() => leaveRequests)
  const billing = await startBillingService(() => invoices)
  const subgraphs = subgraphsOf(printGraph(layout, 'federation'), [leave, billing], url)
  const authorized = subgraphsOf(
    printGraph(layout, 'federation with authorization'),
    [leave, billing],
    url,
  )
  const hive = await startHiveGateway(compositions.guild(subgraphs))
  const routers = {
    'Apollo Gateway': await startApolloGateway(compositions.apollo(subgraphs)),
    'Hive Gateway': hive,
    'a stitched schema': startStitched({ url, sdl: printGraph(layout, 'stitching') }, [leave]),
  }
  const guarded = await startHiveGateway(compositions.guild(authorized), { guarded: true })
  return {
    identity,
    services,
    leaveRequests,
    invoices,
    routers,
    hive,
    guarded,
    async costOf(work) {
      const before = requests
      const statements = await recordStatements(identity.database.name, work)
      return { requests: requests - before, statements: statements.length }
    },
    async stop() {
      for (const router of [...Object.values(routers), guarded]) await router.stop()
      for (const each of [leave, billing, server, services, identity]) await each.stop()
    },
  }
}

export interface Subgraph {
  readonly name: string
  readonly url: string
  readonly typeDefs: DocumentNode
}

export function subgraphsOf(
  sdl: string,
  others: readonly Service[],
  url = 'http://identity.example.com/graphql',
): Subgraph[] {
  return [
    { name: 'identity', url, typeDefs: parse(sdl) },
    ...others.map(({ federationSdl, ...service }) => ({
      name: service.name,
      url: service.url,
      typeDefs: parse(federationSdl),
    })),
  ]
}

/** Each answers the supergraph. @throws Error with everything that stands against it. */
export const compositions = {
  apollo: (subgraphs: Subgraph[]) => supergraphOf(composeByApollo(subgraphs)),
  guild: (subgraphs: Subgraph[]) => supergraphOf(composeByGuild(subgraphs)),
}

function supergraphOf(result: {
  readonly supergraphSdl?: string | undefined
  readonly errors?: readonly Error[] | undefined
}): string {
  if (result.supergraphSdl === undefined)
    throw new Error((result.errors ?? []).map(({ message }) => message).join('\n'))
  return result.supergraphSdl
}
