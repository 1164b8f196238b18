import { group, withDefault } from './group.ts'
import { kind, oneOf } from './kinds.ts'

/** How many of the requests without an error have a line, 1 being all; `null`: no request has one. */
const accessLog = kind(
  'on, errors, off, or a percentage such as 1%',
  (given): number | null | undefined => {
    if (given === 'off') return null
    const words: Readonly<Record<string, string>> = { on: '100%', errors: '0%' }
    const percent = Number(/^([\d.]+)%$/.exec(words[given] ?? given)?.[1])
    return percent <= 100 ? percent / 100 : undefined
  },
)

export const log = group({
  title: 'Log',
  variables: {
    LOG_LEVEL: withDefault(
      oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      'info',
      'the least important lines that are written',
    ),
    ACCESS_LOG: withDefault(
      accessLog,
      'on',
      'which requests have a line: all, those with an error or a status of 400 and more, none, or all with an error and so many of the others',
    ),
  },
  make: (env) => ({ logLevel: env.LOG_LEVEL, accessLog: env.ACCESS_LOG }),
})
