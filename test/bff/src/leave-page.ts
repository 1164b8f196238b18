import { ask } from './gateway.ts'
import { graphql } from './gql/index.ts'
import type { Permission } from './permission.ts'

/** Permissions are variables, so that the compiler knows a misspelt one. */
export const leavePage = graphql(`
  query LeavePage($approve: Permission!, $first: Int!) {
    viewer {
      name
      organizations(first: $first) {
        nodes {
          name
          viewerCan(permission: $approve)
          viewerPermissions
        }
      }
    }
  }
`)

export interface LeavePage {
  readonly name: string
  readonly organizations: readonly {
    readonly name: string
    readonly mayApprove: boolean
    readonly permissions: readonly Permission[]
  }[]
}

/** What the page about leave shows to whoever asks; `null` when nobody is signed in. What is not answered is no. */
export async function loadLeavePage(gateway: Parameters<typeof ask>[0]): Promise<LeavePage | null> {
  const { viewer } = await ask(gateway, leavePage, { approve: 'leave:approve', first: 50 })
  return (
    viewer && {
      name: viewer.name,
      organizations: (viewer.organizations?.nodes ?? []).map((organization) => ({
        name: organization.name,
        mayApprove: organization.viewerCan === true,
        permissions: organization.viewerPermissions ?? [],
      })),
    }
  )
}
