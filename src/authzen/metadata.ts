import { paths } from './answer.ts'

/** Where it is asked for, at the root of the host; the path of the gateway, if it has one, is after it. */
export const WELL_KNOWN = '/.well-known/authzen-configuration'

/** What clients ask this gateway at, without the part that names the graph. */
export function baseOf(graphUrl: string | null): string | null {
  return graphUrl === null ? null : graphUrl.replace(/(?:\/graphql)?\/?$/, '')
}

/**
 * What a client learns of where to ask what, whose URLs begin with how it asked for this: so it was the one it meant.
 * @param baseUrl Absent: what the request says.
 * @returns `null` when it is asked for at another place.
 */
export function describeAuthzen(
  asked: { readonly path: string; readonly origin: string },
  baseUrl: string | null,
): string | null {
  const below = asked.path.slice(WELL_KNOWN.length).replace(/\/$/, '')
  if (below !== '' && !below.startsWith('/')) return null
  const url = baseUrl ?? `${asked.origin}${below}`
  if (new URL(url).pathname.replace(/\/$/, '') !== below) return null
  return JSON.stringify({
    policy_decision_point: url,
    access_evaluation_endpoint: `${url}${paths.evaluation}`,
    access_evaluations_endpoint: `${url}${paths.evaluations}`,
    search_subject_endpoint: `${url}${paths['search/subject']}`,
    search_resource_endpoint: `${url}${paths['search/resource']}`,
    search_action_endpoint: `${url}${paths['search/action']}`,
  })
}
