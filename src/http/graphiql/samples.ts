import type { GraphiQLSample } from './graphiql.ts'

/** Operations that say something of whoever sends them, in any organization. */
export const samples: readonly GraphiQLSample[] = [
  {
    title: 'Who am I?',
    query: `query WhoAmI {
  viewer {
    name
    email
    organizations(first: 10) {
      edges {
        roles
        node {
          name
          viewerPermissions
        }
      }
    }
  }
}
`,
  },
  {
    title: 'May I?',
    query: `# Permissions are resource:action, of Better Auth's roles.
query MayI {
  viewer {
    organizations(first: 10) {
      nodes {
        name
        mayApprove: viewerCan(permission: "leave:approve")
        mayInvite: viewerCan(permission: "invitation:create")
        # Now, and not as of at most five minutes ago.
        mayDelete: viewerCan(permission: "organization:delete", consistency: FRESH)
      }
    }
  }
}
`,
  },
  {
    title: 'Who may approve?',
    query: `query WhoMayApprove {
  viewer {
    organizations(first: 3) {
      nodes {
        name
        members(first: 10, filter: { permission: "leave:approve" }) {
          totalCount
          nodes {
            roles
            user {
              name
              email
            }
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'A page of members',
    query: `# The next page: after: "<endCursor>".
# The one before: last: 3, before: "<startCursor>".
query PageOfMembers {
  viewer {
    organizations(first: 1) {
      nodes {
        name
        members(first: 3, orderBy: { field: USER_NAME, direction: ASC }) {
          totalCount
          pageInfo {
            hasNextPage
            endCursor
          }
          nodes {
            roles
            user {
              name
            }
          }
        }
      }
    }
  }
}
`,
  },
  {
    title: 'Refused on purpose',
    query: `# All users are for platform admins and services.
# Others have the rest of the answer, and an error.
query RefusedOnPurpose {
  viewer {
    name
  }
  users(first: 3) {
    nodes {
      name
      email
    }
  }
}
`,
  },
  {
    title: 'A service asks',
    query: `# Services see every organization, and have no viewer.
query AServiceAsks {
  viewer {
    name
  }
  organizations(first: 10) {
    nodes {
      name
      slug
      members {
        totalCount
      }
    }
  }
}
`,
  },
]
