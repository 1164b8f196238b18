import { group, withDefault } from './group.ts'
import { oneOf, text } from './kinds.ts'

export const audit = group({
  title: 'Audit log',
  variables: {
    AUDIT_LOG: withDefault(
      oneOf('off', 'decisions', 'pii', 'both'),
      'off',
      'what is recorded of answers: `decisions` about permissions, `pii` that somebody else was told, or `both`',
    ),
    AUDIT_LOG_FILE: withDefault(
      text,
      '/dev/stderr',
      'the file that the records are appended to, or a pipe; never the log, which is on standard output',
    ),
  },
  make: ({ AUDIT_LOG, AUDIT_LOG_FILE }) => ({
    /** `null`: nothing is recorded. */
    audit:
      AUDIT_LOG === 'off'
        ? null
        : {
            decisions: AUDIT_LOG !== 'pii',
            pii: AUDIT_LOG !== 'decisions',
            file: AUDIT_LOG_FILE,
          },
  }),
})
