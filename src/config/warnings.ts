import { groups } from './config.ts'
import { understand } from './given.ts'
import type { Given } from './group.ts'
import { findMisspelt } from './misspelt.ts'
import { ignoredParameters } from './postgres-url.ts'

/** What keeps nothing from starting and may not be meant: sentences without a full stop, each naming its variable. */
export function findWarnings(environment: Given): readonly string[] {
  const names = groups.flatMap(({ variables }): readonly string[] => Object.keys(variables))
  const { given } = understand(environment, names)
  return [
    ...findMisspelt(environment),
    ...['DATABASE_URL', 'DATABASE_LISTEN_URL'].flatMap((name) =>
      ignoredParameters(given[name] ?? '').map(
        (parameter) => `${name}: its parameter ${parameter} changes nothing here`,
      ),
    ),
  ]
}
