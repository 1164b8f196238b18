import { group, withDefault } from './group.ts'
import { oneOf } from './kinds.ts'

export const log = group({
  title: 'Log',
  variables: {
    LOG_LEVEL: withDefault(
      oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      'info',
      'the least important lines that are written',
    ),
  },
  make: (env) => ({ logLevel: env.LOG_LEVEL }),
})
