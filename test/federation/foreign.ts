import { type Service, start } from './services.ts'

/*
 * Services that lean on what the gateway tells: each declares fields of it as its own or as needed. Their answers are made
 * of what the router hands them, so that a wrong plan shows.
 */

const link = (...directives: string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ${JSON.stringify(directives)})`

export interface Shift {
  readonly id: string
  readonly teamId: string
  readonly ownerId: string
  /** What it was called when the shift was planned, which the service shows in place of asking. */
  readonly ownerName: string
}

/** Keeps teams by id, and the names of people with its own rows (`@provides`). Its types are called like the gateway's. */
export function startShiftService(shifts: () => readonly Shift[]): Promise<Service> {
  const sdl = `${link('@key', '@external', '@provides')}
    type Query { shifts: [Shift!]! sessions: [Session!]! }
    type Shift { id: ID! team: Team owner: User @provides(fields: "name") }
    type Session { id: ID! topic: String! }
    type Team @key(fields: "id", resolvable: false) { id: ID! }
    type User @key(fields: "id", resolvable: false) { id: ID! name: String! @external }`
  return start('shifts', sdl, sdl, {
    Query: { shifts, sessions: () => [{ id: '1', topic: 'Planning' }] },
    Shift: {
      team: ({ teamId }: Shift) => ({ id: teamId }),
      owner: ({ ownerId, ownerName }: Shift) => ({ id: ownerId, name: ownerName }),
    },
  })
}

export interface Absence {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
}

/** Knows a membership by its ends alone, and writes to people by what the gateway tells of them (`@requires`). */
export function startAbsenceService(absences: () => readonly Absence[]): Promise<Service> {
  const sdl = `${link('@key', '@external', '@requires')}
    type Query { absences: [Absence!]! }
    type Absence { id: ID! member: Member }
    type Member @key(fields: "organization { id } user { id }") {
      organization: Organization! user: User! roles: [String!]! @external
      mayApprove: Boolean! @requires(fields: "roles")
    }
    type Organization @key(fields: "id") {
      id: ID! slug: String! @external absencePath: String! @requires(fields: "slug")
    }
    type User @key(fields: "id") {
      id: ID! name: String! @external email: String @external
      mailto: String @requires(fields: "name email")
    }`
  return start('absences', sdl, sdl, {
    Query: { absences },
    Absence: {
      member: ({ organizationId, userId }: Absence) => ({
        organization: { id: organizationId },
        user: { id: userId },
      }),
    },
    Member: {
      mayApprove: ({ roles }: { roles?: readonly string[] }) =>
        roles?.includes('approver') ?? false,
    },
    Organization: { absencePath: ({ slug }: { slug: string }) => `/absences/${slug}` },
    User: {
      mailto: ({ name, email }: { name: string; email: string }) => `${name} <${email}>`,
    },
  })
}

/** Has pictures of people that go before the gateway's (`@override`). */
export function startPictureService(): Promise<Service> {
  const sdl = `${link('@key', '@override', '@shareable')}
    type Query { pictures: Int! }
    type User @key(fields: "id") { id: ID! image: String @override(from: "identity") }`
  return start('pictures', sdl, sdl, {
    Query: { pictures: () => 1 },
    User: { image: ({ id }: { id: string }) => `https://pictures.example.com/${id}` },
  })
}

/** Knows people by user name alone. */
export function startPageService(): Promise<Service> {
  const sdl = `${link('@key')}
    type Query { page: Page! }
    type Page { title: String! author: User }
    type User @key(fields: "username", resolvable: false) { username: String }`
  return start('pages', sdl, sdl, {
    Query: { page: () => ({ title: 'A page', author: { username: 'bob.b' } }) },
  })
}
