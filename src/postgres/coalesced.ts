import type { AccountRepository } from '../domain/account.ts'
import type { InvitationRepository } from '../domain/invitation.ts'
import type { MemberRepository } from '../domain/member.ts'
import type { OrganizationRepository } from '../domain/organization.ts'
import type { PageRequest } from '../domain/page.ts'
import { pairKey, type RoleRepository, type RolesRead, type Subject } from '../domain/permission.ts'
import type { SessionRepository } from '../domain/session.ts'
import type { TeamRepository } from '../domain/team.ts'
import type { UserRepository } from '../domain/user.ts'
import type { VisibilityRepository } from '../domain/visibility.ts'
import { coalesce, type Joint, type OnJoined } from './coalesce.ts'

/*
 * The repositories with the loads of concurrent requests joined; see coalesce.ts. What one caller may see is in the key
 * or in the options of each of these, so that no answer is shared by two whom it would tell different things.
 */

export function coalescedUsers(users: UserRepository, onJoined?: OnJoined): UserRepository {
  return {
    findByIds: coalesce(
      entities(
        (ids) => users.findByIds(ids),
        ({ id }) => id,
      ),
      onJoined,
    ),
    findByEmails: coalesce(
      entities(
        (emails) => users.findByEmails(emails),
        ({ email }) => email.toLowerCase(),
        (email) => email.toLowerCase(),
      ),
      onJoined,
    ),
    list: (page, filter, order) => users.list(page, filter, order),
    count: (filter) => users.count(filter),
  }
}

export function coalescedOrganizations(
  organizations: OrganizationRepository,
  onJoined?: OnJoined,
): OrganizationRepository {
  return {
    findByIds: coalesce(
      entities(
        (ids) => organizations.findByIds(ids),
        ({ id }) => id,
      ),
      onJoined,
    ),
    findBySlugs: coalesce(
      entities(
        (slugs) => organizations.findBySlugs(slugs),
        ({ slug }) => slug,
      ),
      onJoined,
    ),
    list: (page, order) => organizations.list(page, order),
    count: () => organizations.count(),
  }
}

export function coalescedMembers(members: MemberRepository, onJoined?: OnJoined): MemberRepository {
  return {
    findByPairs: coalesce(
      entities((pairs) => members.findByPairs(pairs), pairKey, pairKey),
      onJoined,
    ),
    findByIds: coalesce(
      entities(
        (ids) => members.findByIds(ids),
        ({ id }) => id,
      ),
      onJoined,
    ),
    listByOrganizationIds: coalesce(
      pages((ids, page, filter, order) => members.listByOrganizationIds(ids, page, filter, order)),
      onJoined,
    ),
    countByOrganizationIds: coalesce(
      counts((ids, filter) => members.countByOrganizationIds(ids, filter)),
      onJoined,
    ),
    listByUserIds: coalesce(
      pages((ids, page, filter) => members.listByUserIds(ids, page, filter)),
      onJoined,
    ),
    countByUserIds: coalesce(
      counts((ids, filter) => members.countByUserIds(ids, filter)),
      onJoined,
    ),
  }
}

export function coalescedInvitations(
  invitations: InvitationRepository,
  onJoined?: OnJoined,
): InvitationRepository {
  return {
    listByOrganizationIds: coalesce(
      pages((ids, page, filter) => invitations.listByOrganizationIds(ids, page, filter)),
      onJoined,
    ),
    countByOrganizationIds: coalesce(
      counts((ids, filter) => invitations.countByOrganizationIds(ids, filter)),
      onJoined,
    ),
    listByEmails: coalesce(
      pages((emails, page, filter) => invitations.listByEmails(emails, page, filter)),
      onJoined,
    ),
    countByEmails: coalesce(
      counts((emails, filter) => invitations.countByEmails(emails, filter)),
      onJoined,
    ),
  }
}

export function coalescedTeams(teams: TeamRepository, onJoined?: OnJoined): TeamRepository {
  return {
    listByOrganizationIds: coalesce(
      pages((ids, page) => teams.listByOrganizationIds(ids, page)),
      onJoined,
    ),
    countByOrganizationIds: coalesce(
      counts((ids) => teams.countByOrganizationIds(ids)),
      onJoined,
    ),
    findByUserId: (userId, organizationIds) => teams.findByUserId(userId, organizationIds),
    listMembers: coalesce(
      pages((ids, page) => teams.listMembers(ids, page)),
      onJoined,
    ),
    countMembers: coalesce(
      counts((ids) => teams.countMembers(ids)),
      onJoined,
    ),
  }
}

export function coalescedSessions(
  sessions: SessionRepository,
  onJoined?: OnJoined,
): SessionRepository {
  return {
    listByUserIds: coalesce(
      pages((ids, page) => sessions.listByUserIds(ids, page)),
      onJoined,
    ),
    countByUserIds: coalesce(
      counts((ids) => sessions.countByUserIds(ids)),
      onJoined,
    ),
  }
}

export function coalescedAccounts(
  accounts: AccountRepository,
  onJoined?: OnJoined,
): AccountRepository {
  return {
    findByUserIds: coalesce(
      entities(
        (ids) => accounts.findByUserIds(ids),
        ({ userId }) => userId,
      ),
      onJoined,
    ),
  }
}

export function coalescedVisibility(
  visibility: VisibilityRepository,
  onJoined?: OnJoined,
): VisibilityRepository {
  return {
    look: coalesce(
      {
        load: (questions) => visibility.look(questions),
        textOf: (question) => JSON.stringify(question),
        split: (sights, questions) => {
          const found = new Map(
            questions.map((question, i) => [JSON.stringify(question), sights[i]]),
          )
          return (own) => own.map((question) => found.get(JSON.stringify(question)) ?? null)
        },
        weigh: ({ organizationIds, userIds }) => 1 + organizationIds.length + userIds.length,
      },
      onJoined,
    ),
  }
}

export function coalescedRoles(roles: RoleRepository, onJoined?: OnJoined): RoleRepository {
  return {
    findRoles: coalesce(
      {
        load: (subjects, options) => roles.findRoles(subjects, options),
        textOf: pairKey,
        split: partOfRoles,
      } satisfies Joint<Subject, [{ dynamic: boolean }], RolesRead>,
      onJoined,
    ),
    findDynamicRoles: (organizations) => roles.findDynamicRoles(organizations),
  }
}

function partOfRoles({ readAt, subjects, dynamicRoles }: RolesRead) {
  const found = new Map(subjects.map((subject) => [pairKey(subject), subject]))
  return (own: readonly Subject[]): RolesRead => ({
    readAt,
    subjects: own.flatMap((subject) => found.get(pairKey(subject)) ?? []),
    dynamicRoles: picked(
      dynamicRoles,
      own.map(({ organizationId }) => organizationId),
    ),
  })
}

/** Entities that say themselves which key they answer. */
function entities<Entity, Key = string>(
  load: (keys: readonly Key[]) => Promise<readonly Entity[]>,
  answers: (entity: Entity) => string,
  textOf: (key: Key) => string = String,
): Joint<Key, [], readonly Entity[]> {
  return {
    load,
    textOf,
    split: (found) => {
      const byText = new Map<string, Entity[]>()
      for (const entity of found) {
        const text = answers(entity)
        const own = byText.get(text)
        if (own) own.push(entity)
        else byText.set(text, [entity])
      }
      return (keys) => keys.flatMap((key) => byText.get(textOf(key)) ?? [])
    },
  }
}

function pages<Item, Options extends readonly unknown[]>(
  load: (
    parentIds: readonly string[],
    page: PageRequest,
    ...options: Options
  ) => Promise<ReadonlyMap<string, Item>>,
): Joint<string, [PageRequest, ...Options], ReadonlyMap<string, Item>> {
  return { load, textOf: String, split: picks, weigh: (_id, ...[page]) => page.size + 1 }
}

function counts<Options extends readonly unknown[]>(
  load: (parentIds: readonly string[], ...options: Options) => Promise<ReadonlyMap<string, number>>,
): Joint<string, Options, ReadonlyMap<string, number>> {
  return { load, textOf: String, split: picks }
}

function picks<Value>(answer: ReadonlyMap<string, Value>) {
  return (keys: readonly string[]) => picked(answer, keys)
}

function picked<Value>(
  answer: ReadonlyMap<string, Value>,
  keys: readonly string[],
): ReadonlyMap<string, Value> {
  const own = new Map<string, Value>()
  for (const key of keys) {
    const value = answer.get(key)
    if (value !== undefined) own.set(key, value)
  }
  return own
}
