import { understand } from './given.ts'
import type { Given } from './group.ts'
import { findMisspelt } from './misspelt.ts'
import { ignoredParameters } from './postgres-url.ts'

const URLS = ['DATABASE_URL', 'DATABASE_LISTEN_URL']

/** What keeps nothing from starting and may not be meant: sentences without a full stop, each naming its variable. */
export function findWarnings(environment: Given): readonly string[] {
  const { given } = understand(environment, URLS)
  const { NODE_ENV = '', AUDIT_LOG = '', AUDIT_LOG_FILE = '' } = environment
  return [
    ...findMisspelt(environment),
    ...(NODE_ENV !== 'production' && /^prod/i.test(NODE_ENV)
      ? [
          `NODE_ENV: is ${JSON.stringify(NODE_ENV)}, so GraphiQL and introspection are on: write production`,
        ]
      : []),
    ...(AUDIT_LOG_FILE !== '' && ['', 'off'].includes(AUDIT_LOG)
      ? ['AUDIT_LOG_FILE: is of no use while AUDIT_LOG is off']
      : []),
    ...URLS.flatMap((name) =>
      ignoredParameters(given[name] ?? '').map(
        (parameter) => `${name}: its parameter ${parameter} changes nothing here`,
      ),
    ),
  ]
}
