import type { z } from 'zod'
import { audit } from './audit.ts'
import { auth } from './auth.ts'
import { authzen } from './authzen.ts'
import { database, names, place } from './database.ts'
import { understand } from './given.ts'
import type { Given, Rule } from './group.ts'
import { http } from './http.ts'
import { limits } from './limits.ts'
import { log } from './log.ts'
import { permissions } from './permissions.ts'
import { redis } from './redis.ts'
import { service } from './service.ts'

/** Every variable that the gateway reads, in the order of the documentation. */
export const groups = [
  database,
  redis,
  auth,
  service,
  permissions,
  authzen,
  http,
  limits,
  log,
  audit,
] as const

const everything = database.schema
  .and(redis.schema)
  .and(auth.schema)
  .and(service.schema)
  .and(permissions.schema)
  .and(authzen.schema)
  .and(http.schema)
  .and(limits.schema)
  .and(log.schema)
  .and(audit.schema)

/** Everything the process is told from outside. Durations and sizes carry their unit in the name. */
export type Config = z.output<typeof everything>

/** What is wrong with the environment: every problem, one a line, each naming its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** @throws ConfigError naming the variable when what it names is malformed. */
export function reading<Content>(variable: string, read: () => Content): Content {
  try {
    return read()
  } catch (error) {
    throw new ConfigError(`${variable}: ${error instanceof Error ? error.message : error}`)
  }
}

/**
 * Reads the configuration from environment variables; an empty one counts as absent.
 * @throws ConfigError
 */
export function loadConfig(environment: Given): Config {
  return Object.freeze(read(everything, groups, environment))
}

/**
 * Reads no more than where Better Auth's tables are, what they are called and how long a statement may take.
 * @throws ConfigError
 */
export function loadNames(environment: Given): z.output<typeof names.schema> {
  return read(names.schema, [names, place], environment)
}

/**
 * Reads no more than which tables of which database.
 * @throws ConfigError
 */
export function loadPlace(environment: Given): z.output<typeof place.schema> {
  return read(place.schema, [place], environment)
}

interface Group {
  readonly variables: object
  readonly rules: readonly Rule<string>[]
}

function read<Values>(
  schema: z.ZodType<Values>,
  these: readonly Group[],
  environment: Given,
): Values {
  const names = these.flatMap(({ variables }) => Object.keys(variables))
  const { given, problems, unread } = understand(environment, names)
  const { success, data, error } = schema.safeParse(given)
  const malformed = (error?.issues ?? [])
    .filter(({ path: [name] }) => !unread.includes(String(name)))
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
  const broken = these
    .flatMap(({ rules }) => rules)
    .filter(({ brokenBy }) => brokenBy(given))
    .map(({ about, problem }) => `${about}: ${problem}`)
  const complaints = [...problems, ...malformed, ...broken]
  if (!success || complaints.length > 0) throw new ConfigError(complaints.join('\n'))
  return data
}
