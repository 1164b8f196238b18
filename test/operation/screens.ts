import { documentedBlock } from '../support/documentation.ts'

/** What the screens of a usual application ask for, each at its largest. */
export const screens = {
  'who calls, with a switcher of up to 100 organizations': `{
    viewer {
      id name image email
      organizations(first: 100) { totalCount nodes { id name slug logo viewerPermissions } }
    }
  }`,
  'a table of 100 members, found and sorted by name, each with what they may do, with pending invitations beside it': `{
    organization(id: "o") {
      name
      members(first: 100, filter: { search: "ada" }, orderBy: { field: USER_NAME, direction: ASC }) {
        totalCount totalCountIsExact pageInfo { hasNextPage endCursor }
        nodes { id roles createdAt permissions user { id name image email } }
      }
      invitations(first: 100, status: PENDING) {
        totalCount nodes { id email roles expiresAt inviter { id name } }
      }
    }
  }`,
  'a profile with 100 sessions, and the ways to sign in': `{
    viewer {
      id name image email emailVerified twoFactorEnabled
      sessions(first: 100) { totalCount nodes { id createdAt expiresAt ipAddress userAgent } }
      accounts { id providerId createdAt scopes }
    }
  }`,
  'a hundred buttons that are there for those who may': `{
    checkPermissions(checks: [${Array.from({ length: 100 }, (_, i) => `{ permission: "leave:approve", organizationId: "o", userId: "u${i}" }`)}]) { allowed }
  }`,
  'a service’s list of 100 users, found and filtered, with their organizations': `{
    users(first: 100, filter: { search: "ada", banned: false }, orderBy: { field: NAME, direction: ASC }) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { id name email role banned banReason createdAt organizations(first: 20) { nodes { id name } } }
    }
  }`,
  'an organization’s 50 teams, each with its first 20 members': `{
    organization(id: "o") {
      teams(first: 50) { totalCount nodes { id name members(first: 20) { totalCount nodes { user { id name image } } } } }
    }
  }`,
  'another service’s inbox: 100 people, 100 organizations, who may approve': `{
    usersByIds(ids: [${Array.from({ length: 100 }, (_, i) => `"u${i}"`)}]) { id name image email }
    organizationsByIds(ids: [${Array.from({ length: 100 }, (_, i) => `"o${i}"`)}]) { id name viewerCan(permission: "leave:approve") }
    organization(id: "o") {
      members(first: 100, filter: { permission: "leave:approve" }) { totalCount nodes { user { id name email } } }
    }
  }`,
  'the query of README.md, for somebody in 50 organizations': documentedBlock(
    'organizations(first: 50)',
  ).text,
}
