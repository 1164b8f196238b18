import { group, withDefault } from './group.ts'
import { wholeNumber, wordOr } from './kinds.ts'

export const limits = group({
  title: 'Limits',
  variables: {
    LIMIT_DEPTH: withDefault(wholeNumber(1, 1000), '12', 'how deep the fields of a document nest'),
    LIMIT_ALIASES: withDefault(wholeNumber(1, 100_000), '100', 'the most aliases of a document'),
    LIMIT_DIRECTIVES: withDefault(
      wholeNumber(1, 100_000),
      '50',
      'the most directives of a document',
    ),
    LIMIT_TOKENS: withDefault(wholeNumber(1, 100_000), '2000', 'the most tokens of a document'),
    LIMIT_COST: withDefault(
      wholeNumber(1, 10_000_000),
      '10000',
      'the most that a request may cost, in points: about one for each object of the answer',
    ),
    LIMIT_COST_PER_MINUTE: withDefault(
      wordOr('off', wholeNumber(1, 1_000_000_000)),
      '600000',
      'points a minute of each user, of the keys of each organization, and of each address that nobody calls from; a tenth of it may be spent at once',
    ),
    LIMIT_COST_PER_MINUTE_OF_SERVICES: withDefault(
      wordOr('off', wholeNumber(1, 1_000_000_000)),
      'off',
      'the same of each service',
    ),
    LIMIT_ANSWER_BYTES: withDefault(
      wholeNumber(1, 1_000_000_000, 'bytes'),
      '4194304',
      'the longest answer; PostgreSQL may be read twice as much for it',
    ),
    LIMIT_ROWS: withDefault(
      wholeNumber(1, 10_000_000),
      '5000',
      'the most rows that a page or a `totalCount` of one list is looked for in: longer lists are counted up to it, and a page that would take more is refused',
    ),
    LIMIT_BODY_BYTES: withDefault(
      wholeNumber(1, 100_000_000, 'bytes'),
      '102400',
      'the longest body of a request',
    ),
    LIMIT_SUBSCRIPTIONS: withDefault(
      wholeNumber(0, 1_000_000),
      '5000',
      'with `PERMISSION_EVENTS`, the most subscriptions at once; 0: there are none',
    ),
    LIMIT_SUBSCRIPTIONS_PER_CALLER: withDefault(
      wholeNumber(1, 1_000_000),
      '20',
      'the most of each user and of the keys of each organization; services have up to three quarters of all',
    ),
    RATE_LIMIT_PER_MINUTE: withDefault(
      wordOr('off', wholeNumber(1, 10_000_000)),
      'off',
      'requests a minute of each address, of each user and of the keys of each organization, counted in Redis where there is one',
    ),
  },
  make: (env) => ({
    limits: {
      document: {
        depth: env.LIMIT_DEPTH,
        aliases: env.LIMIT_ALIASES,
        directives: env.LIMIT_DIRECTIVES,
        tokens: env.LIMIT_TOKENS,
        cost: env.LIMIT_COST,
        answerBytes: env.LIMIT_ANSWER_BYTES,
      },
      /** Of one list. */
      rows: env.LIMIT_ROWS,
      /** Points a minute of one caller; `null`: any number. */
      costPerMinute: unlessOff(env.LIMIT_COST_PER_MINUTE),
      costPerMinuteOfServices: unlessOff(env.LIMIT_COST_PER_MINUTE_OF_SERVICES),
      bodyBytes: env.LIMIT_BODY_BYTES,
      subscriptions: {
        most: env.LIMIT_SUBSCRIPTIONS,
        mostPerCaller: env.LIMIT_SUBSCRIPTIONS_PER_CALLER,
      },
      /** Requests of one caller, and of one address; `null`: any number. */
      ratePerMinute: unlessOff(env.RATE_LIMIT_PER_MINUTE),
    },
  }),
})

function unlessOff(value: number | 'off'): number | null {
  return value === 'off' ? null : value
}
