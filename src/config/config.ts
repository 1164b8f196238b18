import type { z } from 'zod'
import { auth } from './auth.ts'
import { database, names } from './database.ts'
import type { Given } from './group.ts'
import { http } from './http.ts'
import { limits } from './limits.ts'
import { log } from './log.ts'
import { permissions } from './permissions.ts'
import { redis } from './redis.ts'
import { service } from './service.ts'

/** Every variable that the gateway reads, in the order of the documentation. */
export const groups = [database, redis, auth, service, permissions, http, limits, log] as const

const everything = database.schema
  .and(redis.schema)
  .and(auth.schema)
  .and(service.schema)
  .and(permissions.schema)
  .and(http.schema)
  .and(limits.schema)
  .and(log.schema)

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
  const given = present(environment)
  const rules = groups.flatMap((group) => group.rules)
  const broken = rules
    .filter(({ brokenBy }) => brokenBy(given))
    .map(({ about, problem }) => `${about}: ${problem}`)
  return Object.freeze(read(everything, given, broken))
}

/**
 * Reads no more than where Better Auth's tables are, what they are called and how long a statement may take.
 * @throws ConfigError
 */
export function loadNames(environment: Given): z.output<typeof names.schema> {
  return read(names.schema, present(environment))
}

function present(environment: Given): Given {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
}

function read<Values>(schema: z.ZodType<Values>, given: Given, broken: readonly string[] = []) {
  const { success, data, error } = schema.safeParse(given)
  const malformed = error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
  if (!success || broken.length > 0) throw new ConfigError([...malformed, ...broken].join('\n'))
  return data
}
