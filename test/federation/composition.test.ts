import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { stitchingDirectives } from '@graphql-tools/stitching-directives'
import { composeSchemaContract } from '@theguild/federation-composition'
import { buildSchema, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { printGraph } from '../../src/gateway.ts'
import { documentedBlock } from '../support/documentation.ts'
import { layout } from '../support/layout.ts'
import { startApolloGateway } from './routers.ts'
import { type Service, startBillingService, startLeaveService } from './services.ts'
import { compositions, subgraphsOf } from './world.ts'

/** What services with `identity:read` alone do not see, and what it could be found out by. */
const personal = [
  'Invitation.email',
  'Organization.invitations',
  'Query.userByEmail',
  'Query.usersByEmails',
  'Session.ipAddress',
  'Session.userAgent',
  'User.accounts',
  'User.banExpires',
  'User.banReason',
  'User.banned',
  'User.displayUsername',
  'User.email',
  'User.emailVerified',
  'User.hasPassword',
  'User.isAnonymous',
  'User.isBanned',
  'User.lastLoginMethod',
  'User.phoneNumber',
  'User.phoneNumberVerified',
  'User.receivedInvitations',
  'User.role',
  'User.roles',
  'User.sessions',
  'User.twoFactorEnabled',
  'User.username',
]

let others: Service[]

beforeAll(async () => {
  others = [await startLeaveService(() => []), await startBillingService(() => [])]
})
afterAll(async () => {
  for (const service of others) await service.stop()
})

describe.each(['apollo', 'guild'] as const)('the composer of %s', (composer) => {
  const compose = (sdl: string) => compositions[composer](subgraphsOf(sdl, others))

  test.each(['federation', 'federation with authorization'] as const)(
    'composes the graph printed for %s with two services that extend it',
    (form) => {
      const supergraph = buildSchema(compose(printGraph(layout, form)))
      const fieldsOf = (name: string) => {
        const type = supergraph.getType(name)
        return isObjectType(type) ? type.getFields() : {}
      }
      expect(Object.keys(fieldsOf('User'))).toEqual(
        expect.arrayContaining(['name', 'email', 'leaveRequests']),
      )
      expect(Object.keys(fieldsOf('Organization'))).toEqual(
        expect.arrayContaining(['name', 'slug', 'pendingLeaveRequests']),
      )
      expect(Object.keys(fieldsOf('Query'))).toEqual(
        expect.arrayContaining(['viewer', 'usersByIds', 'leaveRequests', 'invoices']),
      )
    },
  )

  test('composes what fields cost', () => {
    const supergraph = compose(printGraph(layout, 'federation', { cost: true }))
    expect(supergraph).toMatch(/totalCount: Int @cost\(weight: \d+\)/)
    expect(supergraph).toMatch(
      /members\([^)]*\): .*@listSize\(.*sizedFields: \["nodes", "edges"\]/s,
    )
  })

  test('composes it with the example of another service in the documentation', () => {
    const federationSdl = documentedBlock('# leave.graphql').text
    const example = { name: 'leave', url: '', federationSdl }
    const supergraph = compositions[composer](
      subgraphsOf(printGraph(layout, 'federation'), [example as Service]),
    )
    expect(supergraph).toContain('leaveRequests: [LeaveRequest!]!')
  })

  test('needs what is said of PageInfo', () => {
    const unshared = printGraph(layout, 'federation').replace(
      'type PageInfo @shareable',
      'type PageInfo',
    )
    expect(() => compose(unshared)).toThrow(/PageInfo/)
  })

  test('keeps the keys, and which fields hold personal data', () => {
    const supergraph = compose(printGraph(layout, 'federation'))
    const keysOf = (type: string) => {
      const head = new RegExp(`^type ${type}\\b.*?(?=^\\{|\\{$)`, 'ms').exec(supergraph)?.[0] ?? ''
      const own = head.matchAll(/graph: IDENTITY, key: "([^"]+)"/g)
      return [...own].map(([, key]) => key).toSorted()
    }
    expect(keysOf('User')).toEqual(['email', 'id', 'username'])
    expect(keysOf('Organization')).toEqual(['id', 'slug'])
    expect(keysOf('Member')).toEqual(['id', 'organization { id } user { id }'])
    expect(keysOf('Team')).toEqual(['id'])
    expect(keysOf('Invitation')).toEqual(['id'])
    const tagged = Object.values(buildSchema(supergraph).getTypeMap())
      .filter(isObjectType)
      .flatMap((type) =>
        Object.values(type.getFields())
          .filter(({ astNode }) => astNode?.directives?.some(({ name }) => name.value === 'tag'))
          .map(({ name }) => `${type.name}.${name}`),
      )
    expect(tagged.toSorted()).toEqual(personal)
  })
})

describe('a contract without what is tagged pii', () => {
  const contract = composeSchemaContract(
    subgraphsOf(printGraph(layout, 'federation'), []),
    { include: new Set(), exclude: new Set(['pii']) },
    true,
  )
  const text = contract.publicSdl ?? ''

  test('composes, and keeps what is not personal', () => {
    expect(contract.errors ?? []).toEqual([])
    const query = buildSchema(text).getQueryType()?.getFields() ?? {}
    expect(Object.keys(query)).toEqual(expect.arrayContaining(['viewer', 'user', 'users', 'can']))
    expect(query.users?.args.map(({ name }) => name)).toContain('orderBy')
  })

  test('has no name left that tells of an address, a user name, a ban or a search', () => {
    const names = text.replaceAll(/""".*?"""|"[^"\n]*"/gs, '').match(/\w+/g) ?? []
    const telling = /mail|search|username|phone|ipaddress|ban(?!k)|twofactor|lastlogin/i
    expect([...new Set(names)].filter((name) => telling.test(name))).toEqual([])
  })
})

test('Apollo Gateway takes no graph with authorization, which is why that is asked for', async () => {
  const supergraph = compositions.apollo(
    subgraphsOf(printGraph(layout, 'federation with authorization'), others),
  )
  await expect(startApolloGateway(supergraph)).rejects.toThrow(/authenticated/)
})

test('the print for stitching is valid to the library of its directives', () => {
  const schema = buildSchema(printGraph(layout, 'stitching'))
  expect(stitchingDirectives().stitchingDirectivesValidator(schema)).toBe(schema)
  const broken = printGraph(layout, 'stitching').replace('[[$key.id]]', '[[$key.')
  expect(() => stitchingDirectives().stitchingDirectivesValidator(buildSchema(broken))).toThrow()
})

test('these tests are of the right types', async () => {
  const { stdout } = await promisify(execFile)('npx', ['tsc', '-p', 'test/federation']).catch(
    (failure: { stdout: string }) => failure,
  )
  expect(stdout).toBe('')
})
