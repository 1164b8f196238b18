import { understand } from './given.ts'
import type { Given } from './group.ts'
import { findMisspelt } from './misspelt.ts'
import { ignoredParameters } from './postgres-url.ts'

const URLS = ['DATABASE_URL', 'DATABASE_LISTEN_URL']

/** What keeps nothing from starting and may not be meant: sentences without a full stop, each naming its variable. */
export function findWarnings(environment: Given): readonly string[] {
  const { given } = understand(environment, URLS)
  const { AUDIT_LOG = '', AUDIT_LOG_FILE = '' } = environment
  return [
    ...findMisspelt(environment),
    ...warningsOfMode(environment),
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

/** Whoever writes something else, or nothing, may not know that GraphiQL and introspection are on. */
const MEANT = ['production', 'development', 'test']

function warningsOfMode({ NODE_ENV = '', GRAPHIQL, INTROSPECTION }: Given): readonly string[] {
  if (MEANT.includes(NODE_ENV) || (GRAPHIQL && INTROSPECTION)) return []
  const is = NODE_ENV === '' ? 'not set' : JSON.stringify(NODE_ENV)
  return [
    `NODE_ENV: is ${is}: write production, or development where GraphiQL and introspection are to be on`,
  ]
}
