import { large } from './world.js'

const json = JSON.stringify

export const SAME_WORK = 'mercurius, same work'

/** What the peer is asked that authenticates nobody, with the credentials that the gateway is asked with. */
const sameWork = (gateway, mercurius) => ({
  ...mercurius,
  requests: mercurius.requests.map((request, i) => ({
    ...request,
    auth: gateway.requests[i].auth,
  })),
})

/** What is asked of each contender, and how to read its answer so that all of them say the same. */
export function worksFor(world, session) {
  const service = `Bearer ${world.serviceToken}`
  const bearer = (token) => `Bearer ${token}`
  const each = (make) => world.tokens.map(make)
  /** With `email`, which not everybody sees, of each person as well. */
  const q2 = (path, email = '') => ({
    gateway: {
      path: '/graphql',
      requests: each(({ token }) => ({
        auth: bearer(token),
        body: json({
          query: `{ viewer { id name organizations(first: 5) { nodes { id name slug members(first: 20) { nodes { roles user { id name ${email} } } } } } } }`,
        }),
      })),
      read: ({ data: { viewer } }) => ({
        ...viewer,
        organizations: viewer.organizations.nodes.map(({ members, ...rest }) => ({
          ...rest,
          members: members.nodes,
        })),
      }),
    },
    mercurius: {
      path: '/graphql',
      requests: each(({ id }) => ({
        body: json({
          query: `query ($id: ID!) { user(id: $id) { id name organizations(first: 5) { id name slug members(first: 20) { roles user { id name ${email} } } } } }`,
          variables: { id },
        }),
      })),
      read: ({ data }) => data.user,
    },
    postgraphile: {
      path: '/graphql',
      requests: each(({ id }) => ({
        body: json({
          query: `query ($id: String!) { userByRowId(rowId: $id) { rowId name
            membersByUserId(first: 5, orderBy: [CREATED_AT_ASC, ROW_ID_ASC]) { nodes { organizationByOrganizationId { rowId name slug
              membersByOrganizationId(first: 20, orderBy: [CREATED_AT_ASC, ROW_ID_ASC]) { nodes { role userByUserId { rowId name ${email} } } } } } } } }`,
          variables: { id },
        }),
      })),
      read: ({ data: { userByRowId: user } }) => ({
        id: user.rowId,
        name: user.name,
        organizations: user.membersByUserId.nodes.map(({ organizationByOrganizationId: o }) => ({
          id: o.rowId,
          name: o.name,
          slug: o.slug,
          members: o.membersByOrganizationId.nodes.map(
            ({ role, userByUserId: { rowId, ...rest } }) => ({
              roles: role.split(','),
              user: { id: rowId, ...rest },
            }),
          ),
        })),
      }),
    },
    floor: {
      path,
      requests: each(({ id }) => ({ body: json({ id }) })),
      read: ({ data }) => data.viewer,
    },
  })
  const check =
    'query ($u: ID!, $o: ID!) { can(userId: $u, organizationId: $o, permission: "member:create") }'
  const checks = (auth) =>
    each(({ id, organization }) => ({
      auth,
      body: json({ query: check, variables: { u: id, o: organization } }),
    }))
  const page = (id) => ({
    server: 'gateway',
    path: '/graphql',
    requests: [
      {
        auth: service,
        body: json({
          query:
            'query ($o: ID!) { organization(id: $o) { members(first: 20) { nodes { id roles user { id name } } pageInfo { hasNextPage } } } }',
          variables: { o: id },
        }),
      },
    ],
    alone: true,
  })
  const own = { auth: session.authorization }
  const works = {
    'Q1: a user by id': {
      gateway: {
        path: '/graphql',
        requests: each(({ id }) => ({
          auth: service,
          body: json({
            query: 'query ($id: ID!) { user(id: $id) { id name email } }',
            variables: { id },
          }),
        })),
        read: ({ data }) => data.user,
      },
      mercurius: {
        path: '/graphql',
        requests: each(({ id }) => ({
          body: json({
            query: 'query ($id: ID!) { user(id: $id) { id name email } }',
            variables: { id },
          }),
        })),
        read: ({ data }) => data.user,
      },
      postgraphile: {
        path: '/graphql',
        requests: each(({ id }) => ({
          body: json({
            query: 'query ($id: String!) { userByRowId(rowId: $id) { rowId name email } }',
            variables: { id },
          }),
        })),
        read: ({
          data: {
            userByRowId: { rowId, ...rest },
          },
        }) => ({ id: rowId, ...rest }),
      },
      floor: {
        path: '/q1',
        requests: each(({ id }) => ({ body: json({ id }) })),
        read: ({ data }) => data.user,
      },
    },
    'Q2: five organizations, a hundred members': q2('/q2'),
    'Q2 with the e-mail address of each': q2('/q2-email', 'email'),
    'permission check, warm': {
      gateway: { path: '/graphql', requests: checks(service), read: ({ data }) => data.can },
      mercurius: { path: '/graphql', requests: checks(''), read: ({ data }) => data.can },
      'better-auth': {
        path: '/api/auth/organization/has-permission',
        requests: [
          { ...own, body: json({ organizationId: 'o0', permissions: { member: ['create'] } }) },
        ],
        alone: true,
      },
    },
    'organizations of the caller': {
      gateway: {
        path: '/graphql',
        requests: each(({ token }) => ({
          auth: bearer(token),
          body: json({
            query:
              '{ viewer { organizations(first: 100) { nodes { id name slug logo metadata createdAt } } } }',
          }),
        })),
        alone: true,
      },
      'better-auth': { path: '/api/auth/organization/list', requests: [{ ...own }], alone: true },
    },
    'twenty members of the largest organization': {
      gateway: page(large.id),
      'the same of one of 50': page('o7'),
    },
    'twenty members of an organization': {
      gateway: {
        path: '/graphql',
        requests: each((_user, i) => ({
          auth: service,
          body: json({
            query:
              'query ($o: ID!) { organization(id: $o) { members(first: 20) { totalCount nodes { id roles createdAt user { id name email image } } } } }',
            variables: { o: `o${i % 50}` },
          }),
        })),
        alone: true,
      },
      'better-auth': {
        path: '/api/auth/organization/list-members?organizationId=o0&limit=20',
        requests: [{ ...own }],
        alone: true,
      },
    },
  }
  works['a decision by AuthZEN, warm'] = {
    gateway: {
      path: '/access/v1/evaluation',
      requests: each(({ id, organization }) => ({
        auth: service,
        body: json({
          subject: { type: 'user', id },
          action: { name: 'create' },
          resource: { type: 'member', id: '1', properties: { organizationId: organization } },
        }),
      })),
      read: ({ decision }) => decision,
    },
    'the same by can': { server: 'gateway', ...works['permission check, warm'].gateway },
  }
  for (const [work, { gateway, mercurius, ...others }] of Object.entries(works))
    if (mercurius)
      works[work] = { gateway, mercurius, [SAME_WORK]: sameWork(gateway, mercurius), ...others }
  return works
}
