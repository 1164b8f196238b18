import { understand } from './given.ts'
import type { Given } from './group.ts'
import { findMisspelt } from './misspelt.ts'
import { ignoredParameters } from './postgres-url.ts'

const URLS = ['DATABASE_URL', 'DATABASE_LISTEN_URL']

/** What keeps nothing from starting and may not be meant: sentences without a full stop, each naming its variable. */
export function findWarnings(environment: Given): readonly string[] {
  const { given } = understand(environment, URLS)
  return [
    ...findMisspelt(environment),
    ...URLS.flatMap((name) =>
      ignoredParameters(given[name] ?? '').map(
        (parameter) => `${name}: its parameter ${parameter} changes nothing here`,
      ),
    ),
  ]
}
