import { groups } from './config.ts'
import { fileOf, secrets } from './given.ts'
import type { Given } from './group.ts'

/**
 * Variables that the gateway does not read and that look like one it does, a line each. Platforms set variables of their
 * own (`DATABASE_HOST`, `REDIS_HOST`, `AUTH_TRUST_HOST`), so what is no more than related is left alone.
 */
export function findMisspelt(environment: Given): readonly string[] {
  return Object.entries(environment)
    .filter(([name, value]) => value !== undefined && value !== '' && !names.includes(name))
    .flatMap(([name]) => {
      const meant = findMeant(name.toUpperCase())
      return meant === null
        ? []
        : [`${name}: is not a variable of the gateway; did you mean ${meant}?`]
    })
}

const names = [
  ...groups.flatMap(({ variables }): readonly string[] => Object.keys(variables)),
  ...secrets.map(fileOf),
]

/** What begins like this can be meant for nobody else. */
const OUR_PREFIXES = [
  'ACCESS_CONTROL_',
  'AUDIT_LOG',
  'AUTH_ALGORITHM',
  'AUTH_JWKS',
  'DATABASE_LISTEN',
  'DATABASE_PREPARED',
  'DATABASE_STATEMENT',
  'DYNAMIC_ACCESS',
  'LIMIT_',
  'ORGANIZATION_CREATOR',
  'PERMISSION_',
  'PLATFORM_ADMIN',
  'PRISMA_SCHEMA_FILE',
  'RATE_LIMIT_PER',
  'SERVICE_JWKS',
  'SHUTDOWN_GRACE',
  'TRUSTED_DOCUMENT',
]

/** Names of fewer letters, such as `HOST`, have neighbours that mean something else, such as `POST`. */
const SHORTEST_LIKELY = 8
/** From this length on, two slips are one name misspelt; `DATABASE_SSL` is another name than `DATABASE_URL`. */
const LONG = 16

function findMeant(name: string): string | null {
  const [nearest] = names
    .map((meant) => ({ meant, distance: distanceBetween(name, meant) }))
    .sort((one, other) => one.distance - other.distance)
  if (!nearest) return null
  const slips = name.length < LONG ? 1 : 2
  if (name.length >= SHORTEST_LIKELY && nearest.distance <= slips) return nearest.meant
  if (!OUR_PREFIXES.some((prefix) => name.startsWith(prefix))) return null
  return names.find((meant) => meant.startsWith(name)) ?? nearest.meant
}

/** How many letters are added, left out, exchanged, or swapped with the next one (optimal string alignment). */
function distanceBetween(one: string, other: string): number {
  let beforeLast: readonly number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const at = (line: readonly number[], index: number) => line[index] ?? Number.POSITIVE_INFINITY
      const differs = one[row - 1] === other[column - 1] ? 0 : 1
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + differs,
          swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforeLast = last
    last = current
  }
  return last[other.length] ?? 0
}
