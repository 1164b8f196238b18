import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listAudiences, organizationAudiences, userAudiences } from '../../src/access/audiences.ts'
import { ClosedViewer } from '../../src/access/closed-viewer.ts'
import { createViewer, type ViewerSources } from '../../src/access/viewer.ts'
import { audiences } from '../../src/domain/additional-field.ts'
import { type Caller, scopes } from '../../src/domain/caller.ts'
import { GatewayError } from '../../src/domain/errors.ts'

/*
 * Whatever is asked of an app's viewer, in whatever world: what it lets pass, the user's own viewer does too. So it is with
 * the viewer of an organization's key, and that of a service.
 */

const id = fc.constantFrom('u', 'v', 'w', 'gone')
const world = fc.record({
  role: fc.constantFrom(null, 'admin', 'user'),
  seen: fc.uniqueArray(id),
  lives: fc.boolean(),
})
const user = fc.record({ id }, { requiredKeys: ['id'] })
const reached = fc.record({ id, coMember: fc.constant(true) }, { requiredKeys: ['id'] })
const keysOf = <Key extends string>(of: Readonly<Record<Key, unknown>>) =>
  fc.constantFrom(...(Object.keys(of) as Key[]))
const grant = fc.option(
  fc.record({
    permissions: fc.subarray(['ac:read', 'invitation:create', 'apiKey:read']),
    roles: fc.subarray(['owner', 'admin', 'member']),
  }),
)
const additional = fc.record({ name: fc.constant('field'), visibleTo: fc.subarray([...audiences]) })

/** By the method that they are for. */
const questions: Readonly<Record<string, fc.Arbitrary<readonly unknown[]>>> = {
  requireCredential: fc.tuple(),
  requireScope: fc.tuple(fc.constantFrom(...scopes)),
  self: fc.tuple(),
  sessionId: fc.tuple(),
  isInvited: fc.tuple(fc.option(id)),
  requireInvitation: fc.tuple(),
  showsTeamMembers: fc.tuple(fc.boolean()),
  seesUser: fc.tuple(fc.option(id)),
  seesOrganization: fc.tuple(fc.option(id)),
  seesPermissionsOf: fc.tuple(fc.record({ userId: id, organizationId: id })),
  searchesAddresses: fc.tuple(),
  membershipsOf: fc.tuple(id),
  requireOrganizationField: fc.tuple(keysOf(organizationAudiences), grant),
  showsOrganizationField: fc.tuple(keysOf(organizationAudiences), grant),
  requireTeamMembers: fc.tuple(fc.boolean()),
  requireList: fc.tuple(keysOf(listAudiences)),
  requireUserField: fc.tuple(user, keysOf(userAudiences)),
  showsUserField: fc.tuple(reached, keysOf(userAudiences)),
  findsBy: fc.tuple(keysOf(userAudiences), fc.option(user)),
  requireAdditional: fc.tuple(additional, fc.option(user)),
}

function sourcesOf({ role, seen, lives }: typeof world extends fc.Arbitrary<infer W> ? W : never) {
  const look: ViewerSources['visibility']['look'] = async (asked) =>
    asked.map(({ userId }) =>
      lives
        ? {
            self: { id: userId, role } as never,
            organizationIds: new Set(seen),
            coMemberIds: new Set(seen),
          }
        : null,
    )
  const findMembers = async () => (lives ? new Set(seen) : null)
  return {
    visibility: { look, findMembers },
    platformAdmins: { roles: ['admin'], userIds: [] },
    creatorRole: 'owner',
  }
}

/** `null` for what is refused. */
async function answerOf(viewer: ClosedViewer, method: string, given: readonly unknown[]) {
  try {
    return (await Reflect.get(viewer, method).apply(viewer, given)) ?? 'passes'
  } catch (error) {
    if (error instanceof GatewayError) return null
    throw error
  }
}

/** A caller with some scopes asks a method something, in a world of its own. */
const askedOf = (method: string) =>
  fc.record({
    world,
    scopes: fc.subarray([...scopes]),
    given: questions[method] ?? fc.tuple(),
  })

test('there is a question to every method', () => {
  const methods = Object.getOwnPropertyNames(ClosedViewer.prototype)
  expect(
    methods.filter((name) => !['constructor', 'isIn', 'isKnownIn'].includes(name)).sort(),
  ).toEqual(Object.keys(questions).sort())
})

test.each([
  ['nobody', { kind: 'anonymous' }],
  ['a user', { kind: 'user', userId: 'u' }],
  ['a service', { kind: 'service', subject: 's' }],
  ['an app', { kind: 'delegated', userId: 'u', delegation: { clientId: 'app', sessionId: null } }],
  ['the key of an organization', { kind: 'organization', organizationId: 'u', keyId: 'k' }],
])('what %s is known to be shown of a user is shown when it is asked', async (_, caller) => {
  let shown = 0
  const property = fc.asyncProperty(askedOf('showsUserField'), async ({ world, scopes, given }) => {
    const viewer = createViewer({ ...caller, scopes: new Set(scopes) } as Caller, sourcesOf(world))
    if (!(await answerOf(viewer, 'showsUserField', given))) return
    shown += 1
    expect(await answerOf(viewer, 'requireUserField', given)).toBe('passes')
  })
  await fc.assert(property, { numRuns: 300 })
  // To those of whom more has to be known, nothing is shown at once.
  expect(shown > 0).toBe(['user', 'service'].includes(caller.kind))
})

test.each(Object.keys(questions))(
  '%s lets nothing pass for the key of an organization that a service is not shown',
  async (method) => {
    const property = fc.asyncProperty(askedOf(method), async ({ world, scopes, given }) => {
      const granted = new Set(scopes)
      const sources = sourcesOf(world)
      const key = {
        kind: 'organization',
        organizationId: 'u',
        keyId: 'k',
        scopes: granted,
      } as const
      const service = { kind: 'service', subject: 's', scopes: granted } as const
      const answer = await answerOf(createViewer(key, sources), method, given)
      const wide = await answerOf(createViewer(service, sources), method, given)
      if (scopes.length === 0 && !['requireCredential', 'self', 'sessionId'].includes(method))
        expect(answer).toBeOneOf([null, false, 'none'])
      if (typeof answer === 'object' && answer !== null)
        expect([answer, wide]).toEqual([{ organizationId: 'u' }, 'all'])
      else if (answer !== null && answer !== false && answer !== 'none')
        expect(answer).toEqual(wide)
      const asks = method.startsWith('sees') || method === 'requireUserField'
      if (asks && !world.lives && given[0] !== undefined) expect(answer).toBeNull()
    })
    await fc.assert(property, { numRuns: 300 })
  },
)

test.each(Object.keys(questions))(
  '%s lets nothing pass that the user is not shown',
  async (method) => {
    const property = fc.asyncProperty(askedOf(method), async ({ world, scopes, given }) => {
      const sources = sourcesOf(world)
      const delegation = { clientId: 'app', sessionId: null }
      const app = { kind: 'delegated', userId: 'u', scopes: new Set(scopes), delegation } as const
      const answer = await answerOf(createViewer(app, sources), method, given)
      const own = await answerOf(
        createViewer({ kind: 'user', userId: 'u' }, sources),
        method,
        given,
      )
      // Without a scope nothing passes; the door `requireCredential` opens to nothing by itself.
      if (scopes.length === 0 && method !== 'requireCredential')
        expect(answer).toBeOneOf([null, false, 'none'])
      if (answer !== null && answer !== false && answer !== 'none') expect(answer).toEqual(own)
    })
    await fc.assert(property, { numRuns: 300 })
  },
)
