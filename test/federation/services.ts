import { createServer } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { parse } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { close, listen } from '../../src/demo/ports.ts'

/** A service beside the gateway, in every form its graph has. */
export interface Service {
  readonly name: string
  readonly url: string
  /** As composers read it. */
  readonly federationSdl: string
  /** Without directives, as stitchers read it. */
  readonly plainSdl: string
  stop(): Promise<void>
}

export interface LeaveRequest {
  readonly id: string
  readonly requesterId: string
  readonly approverId: string
  readonly organizationId: string
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
  import: ["@key", "@shareable"])`

const PAGE_INFO = `type PageInfo {
  hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String
}`
/** In an extension, @shareable would hold for the fields of the extension alone. */
const withSharedPageInfo = (sdl: string) => sdl.replace('type PageInfo', '$& @shareable')

const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null }

/** Knows people and organizations by id alone, and adds a field to each. */
export function startLeaveService(requests: () => readonly LeaveRequest[]): Promise<Service> {
  const plainSdl = `
    type Query { leaveRequests: [LeaveRequest!]! leaveRequestPage: LeaveRequestConnection! }
    type LeaveRequest { id: ID! requester: User approver: User organization: Organization }
    type LeaveRequestConnection { nodes: [LeaveRequest!]! pageInfo: PageInfo! }
    type User { id: ID! }
    type Organization { id: ID! }
    ${PAGE_INFO}`
  const federationSdl = `${LINK} ${withSharedPageInfo(plainSdl)}
    extend type User @key(fields: "id") { leaveRequests: [LeaveRequest!]! }
    extend type Organization @key(fields: "id") { pendingLeaveRequests: Int! }`
  const reference = (key: 'requesterId' | 'approverId' | 'organizationId') => ({
    resolve: (request: LeaveRequest) => ({ id: request[key] }),
  })
  return start('leave', plainSdl, federationSdl, {
    Query: {
      leaveRequests: requests,
      leaveRequestPage: () => ({ nodes: requests(), pageInfo }),
    },
    LeaveRequest: {
      requester: reference('requesterId'),
      approver: reference('approverId'),
      organization: reference('organizationId'),
    },
    User: {
      leaveRequests: ({ id }: { id: string }) =>
        requests().filter(({ requesterId }) => requesterId === id),
    },
    Organization: {
      pendingLeaveRequests: ({ id }: { id: string }) =>
        requests().filter(({ organizationId }) => organizationId === id).length,
    },
  })
}

export interface Invoice {
  readonly id: string
  readonly email: string
  readonly slug: string
}

/** Knows people by e-mail address and organizations by slug. */
export function startBillingService(invoices: () => readonly Invoice[]): Promise<Service> {
  const plainSdl = `
    type Query { invoices: [Invoice!]! invoicePage: InvoiceConnection! }
    type Invoice { id: ID! contact: User organization: Organization }
    type InvoiceConnection { nodes: [Invoice!]! pageInfo: PageInfo! }
    type User { email: String }
    type Organization { slug: String! }
    ${PAGE_INFO}`
  const federationSdl = `${LINK} ${withSharedPageInfo(plainSdl)}
    extend type User @key(fields: "email", resolvable: false)
    extend type Organization @key(fields: "slug", resolvable: false)`
  return start('billing', plainSdl, federationSdl, {
    Query: { invoices, invoicePage: () => ({ nodes: invoices(), pageInfo }) },
    Invoice: {
      contact: ({ email }: Invoice) => ({ email }),
      organization: ({ slug }: Invoice) => ({ slug }),
    },
  })
}

/** Serves these types and resolvers. */
export async function start(
  name: string,
  plainSdl: string,
  federationSdl: string,
  // biome-ignore lint/suspicious/noExplicitAny: whatever the library takes
  resolvers: any,
): Promise<Service> {
  const schema = buildSubgraphSchema({ typeDefs: parse(federationSdl), resolvers })
  const server = createServer(createYoga({ schema, logging: false }))
  const port = await listen(server, 0, '127.0.0.1')
  return {
    name,
    url: `http://127.0.0.1:${port}/graphql`,
    federationSdl,
    plainSdl,
    async stop() {
      server.closeAllConnections()
      await close(server)
    },
  }
}
