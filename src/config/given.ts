import { readFileSync } from 'node:fs'
import type { Given } from './group.ts'
import { variablesOf } from './postgres-url.ts'

/** Variables that hold a secret, which a file may hold as well: `DATABASE_URL_FILE` is the path of one. */
export const secrets = [
  'DATABASE_URL',
  'DATABASE_LISTEN_URL',
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
  'BETTER_AUTH_SECRET',
  'BETTER_AUTH_SECRETS',
]

export interface Understood {
  /** Without those that are empty, with the contents of files and with what the URL of the database stands for. */
  readonly given: Given
  /** What is wrong with the environment before any variable is looked at by itself, each naming its variable. */
  readonly problems: readonly string[]
  /** Variables whose file cannot be read, which is all that is to be said of them. */
  readonly unread: readonly string[]
}

/** @param names The variables to look at; others are none of ours. */
export function understand(environment: Given, names: readonly string[]): Understood {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const read = secrets
    .filter((name) => names.includes(name) && present[fileOf(name)] !== undefined)
    .map((name) => readSecret(name, present))
  const told: Given = {
    ...present,
    ...Object.fromEntries(read.map(({ name, content }) => [name, content])),
  }
  const url = told.DATABASE_URL
  const fromUrl = url === undefined ? {} : variablesOf(url)
  return {
    given: { ...fromUrl, ...told },
    problems: [
      ...read.flatMap(({ problem }) => problem ?? []),
      ...names.flatMap((name) => problemOfQuotes(name, told[name])),
      ...(told.DATABASE_SCHEMA !== undefined &&
      fromUrl.DATABASE_SCHEMA !== undefined &&
      told.DATABASE_SCHEMA !== fromUrl.DATABASE_SCHEMA
        ? [
            `DATABASE_SCHEMA: is ${told.DATABASE_SCHEMA}, but DATABASE_URL says ${fromUrl.DATABASE_SCHEMA} (schema or search_path): take one away`,
          ]
        : []),
    ],
    unread: read.filter(({ content }) => content === undefined).map(({ name }) => name),
  }
}

export function fileOf(secret: string): string {
  return `${secret}_FILE`
}

interface Secret {
  readonly name: string
  readonly content?: string
  readonly problem?: string
}

function readSecret(name: string, present: Given): Secret {
  const variable = fileOf(name)
  if (present[name] !== undefined)
    return {
      name,
      content: present[name],
      problem: `${variable}: is set, and so is ${name}: take one away`,
    }
  try {
    // Editors and `echo` end a file with a line break, which is no part of the secret.
    return { name, content: readFileSync(present[variable] ?? '', 'utf8').replace(/\r?\n$/, '') }
  } catch (error) {
    return {
      name,
      problem: `${variable}: cannot be read: ${error instanceof Error ? error.message : error}`,
    }
  }
}

/** `docker run --env-file` keeps quotes that a shell would take off; nothing that is meant begins and ends with one. */
function problemOfQuotes(name: string, value: string | undefined): readonly string[] {
  return value !== undefined && /^(["']).*\1$/s.test(value)
    ? [`${name}: is in quotes, which whatever set it did not take off: write it without them`]
    : []
}
