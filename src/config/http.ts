import { z } from 'zod'
import { documentsFile } from './documents-file.ts'
import { group, optional, withDefault } from './group.ts'
import { headerName, kind, list, onOff, text, typePrefix, wholeNumber, wordOr } from './kinds.ts'

const origins = list('origins as browsers send them, such as https://app.example.com', (names) =>
  names.every((name) => URL.canParse(name) && new URL(name).origin === name && !name.includes('*')),
)

const address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
const addresses = list(
  'addresses (10.0.0.0/8)',
  (parts) => parts.length > 0 && parts.every((part) => address.safeParse(part).success),
)
const trustProxy = kind(
  `a number of proxies from 1 to 10, or their ${addresses.description}`,
  (given): number | readonly string[] | undefined =>
    (/^\d+$/.test(given) ? wholeNumber(1, 10) : addresses).safeParse(given).data,
)

export const http = group({
  title: 'HTTP and the graph',
  variables: {
    HOST: optional(text, 'every address, of IPv6 and of IPv4', 'the address to listen on'),
    PORT: withDefault(
      wholeNumber(0, 65_535),
      '4000',
      'the port to listen on; 0 is any that is free',
    ),
    NODE_ENV: withDefault(
      text,
      'development',
      '`production` turns GraphiQL and introspection of the graph off, and with it names suggested in errors',
    ),
    GRAPHIQL: optional(
      onOff,
      'as `NODE_ENV` says; `off` with `TRUSTED_DOCUMENTS_FILE`',
      'whether browsers are shown GraphiQL',
    ),
    INTROSPECTION: optional(onOff, 'as `NODE_ENV` says', 'whether the graph can be introspected'),
    FEDERATION: withDefault(
      onOff,
      'off',
      'whether the graph is served as a subgraph of Apollo Federation 2',
    ),
    FEDERATION_PREFIX: optional(
      typePrefix,
      'none',
      'with `FEDERATION=on`, what names of types begin with that another subgraph could have as well',
    ),
    LIMIT_REFERENCES: withDefault(
      wholeNumber(1, 10_000),
      '1000',
      'with `FEDERATION=on`, the most references of a router that are answered at once; what is beyond is null with one error',
    ),
    TRUSTED_DOCUMENTS_FILE: optional(
      documentsFile,
      'any document is answered',
      'the only documents that are answered',
    ),
    CORS_ORIGINS: optional(origins, 'none', 'the origins whose pages may ask'),
    TRUST_PROXY: withDefault(
      wordOr('off', trustProxy),
      'off',
      "whose word is taken for the address of a client; `off`: nobody's",
    ),
    TRUST_PROXY_HEADER: withDefault(
      headerName,
      'x-forwarded-for',
      'the header in which they write it; `forwarded` is read as RFC 7239 has it',
    ),
    // Between requests, so a silence that ends other connections does not count.
    KEEP_ALIVE_TIMEOUT_MS: withDefault(
      wholeNumber(1, 86_400_000, 'milliseconds'),
      '65000',
      'how long a connection is kept between requests: longer than the balancer in front keeps it',
    ),
    // Shorter than the silence after which a connection is cut off.
    REQUEST_TIMEOUT_MS: withDefault(
      wholeNumber(1, 25_000, 'milliseconds'),
      '10000',
      'the longest that a request may take',
    ),
    LIMIT_CONCURRENCY: withDefault(
      wholeNumber(1, 100_000),
      '1000',
      'the most operations under way at once; more are refused',
    ),
    LIMIT_BATCH: withDefault(wholeNumber(1, 1000), '10', 'the most operations in one request'),
    SHUTDOWN_GRACE_MS: withDefault(
      wholeNumber(0, 600_000, 'milliseconds'),
      '0',
      'how long requests are still accepted after SIGTERM, while `/ready` says 503',
    ),
    METRICS_HOST: optional(text, 'as `HOST` says', 'the address to listen on for Prometheus'),
    METRICS_PORT: withDefault(
      wordOr('off', wholeNumber(0, 65_535)),
      'off',
      'a port of its own for Prometheus, at `/metrics`',
    ),
  },
  rules: [
    {
      about: 'METRICS_PORT',
      brokenBy: ({ PORT = '4000', METRICS_PORT, HOST, METRICS_HOST = HOST }) =>
        METRICS_PORT === PORT && PORT !== '0' && METRICS_HOST === HOST,
      problem: 'is the port that PORT names as well',
    },
    {
      about: 'GRAPHIQL',
      brokenBy: (given) => given.GRAPHIQL === 'on' && given.TRUSTED_DOCUMENTS_FILE !== undefined,
      problem: 'cannot be on with TRUSTED_DOCUMENTS_FILE, which lists no document of GraphiQL',
    },
    {
      about: 'FEDERATION_PREFIX',
      brokenBy: (given) => given.FEDERATION_PREFIX !== undefined && given.FEDERATION !== 'on',
      problem: 'is of use with FEDERATION=on alone',
    },
    {
      about: 'TRUSTED_DOCUMENTS_FILE',
      brokenBy: (given) => given.FEDERATION === 'on' && given.TRUSTED_DOCUMENTS_FILE !== undefined,
      problem: 'is of no use with FEDERATION=on: routers send documents of their own',
    },
  ],
  make: (env) => {
    const production = env.NODE_ENV === 'production'
    return {
      http: {
        /** `null`: every address there is. */
        host: env.HOST ?? null,
        port: env.PORT,
        environment: env.NODE_ENV,
        graphiql: env.GRAPHIQL ?? (!production && env.TRUSTED_DOCUMENTS_FILE === undefined),
        introspection: env.INTROSPECTION ?? !production,
        /** As browsers send them, for example `https://app.example.com`. */
        corsOrigins: env.CORS_ORIGINS ?? [],
        /** The longest a request may take. */
        timeoutMs: env.REQUEST_TIMEOUT_MS,
        /** How many operations may be under way at once. */
        mostUnderWay: env.LIMIT_CONCURRENCY,
        /** How long requests are still accepted when the server stops, for the balancer to notice. */
        shutdownGraceMs: env.SHUTDOWN_GRACE_MS,
        metricsHost: env.METRICS_HOST ?? env.HOST ?? null,
        /** `null`: no metrics. */
        metricsPort: env.METRICS_PORT === 'off' ? null : env.METRICS_PORT,
        /** Whose word is taken for the address of a client: nobody's, that of so many proxies, or of these addresses. */
        trustProxy: env.TRUST_PROXY,
        /** In which header they write it. */
        trustProxyHeader: env.TRUST_PROXY_HEADER,
        /** How long a connection is kept between requests. */
        keepAliveTimeoutMs: env.KEEP_ALIVE_TIMEOUT_MS,
        /** The most operations in one request. */
        batchLimit: env.LIMIT_BATCH,
        /** Documents by the names clients send; nothing else is answered then. `null`: any document is. */
        trustedDocuments: env.TRUSTED_DOCUMENTS_FILE ?? null,
      },
      /** Whether the graph is served as a subgraph of Apollo Federation, and as what. */
      federation: env.FEDERATION,
      subgraph: {
        /** Before the names of types that another one could have as well. */
        prefix: env.FEDERATION_PREFIX ?? '',
        /** Of those that a router sends at once, so many are answered. */
        mostReferences: env.LIMIT_REFERENCES,
      },
    }
  },
})
