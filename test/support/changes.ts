import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import type { GatewayUnderTest } from './gateway.ts'
import type { Identity, Organization, Person } from './identity.ts'

/** Who changes things, and where; `admin` is platform admin and owner of the organization. */
export interface Scene {
  readonly identity: Identity
  readonly admin: Person
}

/** A change of somebody's permissions, and what they can do before and after it. */
export interface Change {
  readonly before: boolean
  readonly after: boolean
  /** Makes everything ready; what it answers makes the change. */
  prepare(scene: Scene, organization: Organization, person: Person): Promise<() => Promise<unknown>>
}

export async function createScene(identity: Identity): Promise<Scene> {
  const admin = await identity.signUp('Admin')
  await identity.sql("update users set role = 'admin' where id = $1", [admin.id])
  return { identity, admin }
}

/** Calls Better Auth over HTTP as a person. @throws Error when it refuses. */
export async function call(
  { identity }: Scene,
  { session }: Person,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${identity.betterAuth.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

const approve = { permission: { leave: ['approve'] } }

/** The twelve changes through Better Auth. All but the first are made over its HTTP API, which has no route for it. */
export const changes: Readonly<Record<string, Change>> = {
  'adding a member': {
    before: false,
    after: true,
    prepare:
      async ({ identity }, organization, person) =>
      () =>
        identity.addMember(organization, person, 'approver'),
  },
  'accepting an invitation': {
    before: false,
    after: true,
    async prepare(scene, { id }, person) {
      const invitation = await call(scene, scene.admin, '/organization/invite-member', {
        organizationId: id,
        email: person.email,
        role: 'approver',
      })
      return () =>
        call(scene, person, '/organization/accept-invitation', { invitationId: invitation.id })
    },
  },
  'updating a role': {
    before: false,
    after: true,
    async prepare(scene, organization, person) {
      const memberId = await scene.identity.addMember(organization, person, 'member')
      return () =>
        call(scene, scene.admin, '/organization/update-member-role', {
          organizationId: organization.id,
          memberId,
          role: ['member', 'approver'],
        })
    },
  },
  'removing a member': {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      const memberIdOrEmail = await scene.identity.addMember(organization, person, 'approver')
      return () =>
        call(scene, scene.admin, '/organization/remove-member', {
          organizationId: organization.id,
          memberIdOrEmail,
        })
    },
  },
  leaving: {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      await scene.identity.addMember(organization, person, 'approver')
      return () => call(scene, person, '/organization/leave', { organizationId: organization.id })
    },
  },
  'creating a dynamic role': {
    before: false,
    after: true,
    async prepare(scene, organization, person) {
      const memberId = await scene.identity.addMember(organization, person, 'member')
      await scene.identity.sql('update members set role = $2 where id = $1', [memberId, 'clerk'])
      return () =>
        call(scene, scene.admin, '/organization/create-role', {
          organizationId: organization.id,
          role: 'clerk',
          ...approve,
        })
    },
  },
  'updating a dynamic role': {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      await holdClerk(scene, organization, person)
      return () =>
        call(scene, scene.admin, '/organization/update-role', {
          organizationId: organization.id,
          roleName: 'clerk',
          data: { permission: { report: ['read'] } },
        })
    },
  },
  'deleting a dynamic role, of the active organization': {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      const memberId = await holdClerk(scene, organization, person)
      await call(scene, scene.admin, '/organization/set-active', {
        organizationId: organization.id,
      })
      return async () => {
        // Better Auth deletes no role that somebody holds, so it is taken from them where the plug-in does not see it.
        await scene.identity.sql("update members set role = 'member' where id = $1", [memberId])
        await call(scene, scene.admin, '/organization/delete-role', { roleName: 'clerk' })
      }
    },
  },
  'deleting an organization': {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      await scene.identity.addMember(organization, person, 'approver')
      return () =>
        call(scene, scene.admin, '/organization/delete', { organizationId: organization.id })
    },
  },
  'deleting a user': {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      await scene.identity.addMember(organization, person, 'approver')
      return () => call(scene, person, '/delete-user', { password: person.password })
    },
  },
  banning: {
    before: true,
    after: false,
    async prepare(scene, organization, person) {
      await scene.identity.addMember(organization, person, 'approver')
      return () => call(scene, scene.admin, '/admin/ban-user', { userId: person.id })
    },
  },
  unbanning: {
    before: false,
    after: true,
    async prepare(scene, organization, person) {
      await scene.identity.addMember(organization, person, 'approver')
      await call(scene, scene.admin, '/admin/ban-user', { userId: person.id })
      return () => call(scene, scene.admin, '/admin/unban-user', { userId: person.id })
    },
  },
}

async function holdClerk(
  scene: Scene,
  organization: Organization,
  person: Person,
): Promise<string> {
  await call(scene, scene.admin, '/organization/create-role', {
    organizationId: organization.id,
    role: 'clerk',
    ...approve,
  })
  const memberId = await scene.identity.addMember(organization, person, 'member')
  await scene.identity.sql("update members set role = 'clerk' where id = $1", [memberId])
  return memberId
}

let count = 0

/**
 * Makes one change whose former answer every gateway holds in its cache. Answers how long after it, in milliseconds,
 * the last of the gateways gave the new answer to a CACHED question.
 */
export async function delayOf(
  scene: Scene,
  change: Change,
  gateways: readonly GatewayUnderTest[],
  token: string,
): Promise<number> {
  count++
  const organization = await scene.identity.createOrganization(scene.admin, `Place ${count}`)
  const person = await scene.identity.signUp(`Somebody ${count}`)
  const make = await change.prepare(scene, organization, person)
  const can = (gateway: GatewayUnderTest) => ask(gateway, organization, person, token)
  for (const gateway of gateways)
    await expect.poll(() => can(gateway)).toEqual({ allowed: change.before, source: 'CACHE' })
  await make()
  const made = performance.now()
  await Promise.all(
    gateways.map(async (gateway) => {
      while ((await can(gateway)).allowed !== change.after) {
        if (performance.now() - made > 10_000) throw new Error('The old answer stays.')
        // An answer from the cache needs no I/O, so asking again at once would let nothing else in.
        await setImmediate()
      }
    }),
  )
  return performance.now() - made
}

async function ask(
  gateway: GatewayUnderTest,
  { id: organizationId }: Organization,
  { id: userId }: Person,
  token: string,
): Promise<{ allowed: boolean; source: string }> {
  const { data, errors } = await gateway.graphql(
    `query ($checks: [PermissionCheckInput!]!) { checkPermissions(checks: $checks) { allowed source } }`,
    { token, variables: { checks: [{ permission: 'leave:approve', organizationId, userId }] } },
  )
  expect(errors).toEqual([])
  return data.checkPermissions[0]
}
