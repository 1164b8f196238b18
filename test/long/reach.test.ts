import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createSocketServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/demo/ports.ts'
import { nobody } from '../../src/demo/supervised.ts'
import { checkKeys } from '../../src/doctor/checks/keys.ts'
import { checkRedis } from '../../src/doctor/checks/redis.ts'
import { examine } from '../../src/doctor/doctor.ts'
import type { Examined } from '../../src/doctor/finding.ts'
import { ConfigError, loadConfig } from '../../src/gateway.ts'
import { type Certificate, createCertificate } from '../support/certificate.ts'
import type { GatewayUnderTest } from '../support/gateway.ts'
import { startPoolerImitation } from '../support/pooler-imitation.ts'
import { type PostgresProcess, startPostgresProcess } from '../support/postgres-process.ts'
import { type RedisProcess, startRedisProcess } from '../support/redis-process.ts'
import { world } from '../support/world.ts'

/*
 * The commonest ways not to reach PostgreSQL, Redis or the keys, each of them met for real: what the log of `serve`, doctor
 * and `/ready` say, and the page that lists it. Servers are real but for those that the name of a case calls imitations;
 * keys come from servers of HTTP that this file starts.
 */

const page = new URL('../../docs/troubleshooting.md', import.meta.url)

const { gatewayWith, identity, ada, acme } = await world({ own: true })
const good = new URL(identity.readOnlyUrl)
const closing: (() => unknown)[] = []

afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

interface Case {
  readonly wrong: string
  /** Where somebody tries to connect to, once everything is as wrong as it should be. */
  readonly url: () => string | Promise<string>
  /** What the cause and the remedy are known by. */
  readonly parts: readonly string[]
  readonly todo: string
}

interface Met {
  /** The first line of the log that warns. */
  readonly log: string
  readonly doctor: string
  readonly ready?: string
}

/** Of the page, by heading. */
const sections = new Map<string, string[]>()

function meets(title: string, cases: readonly Case[], meet: (url: string) => Promise<Met>) {
  const rows: string[] = []
  sections.set(title, rows)
  test.each(cases)('$wrong', async ({ wrong, url: at, parts, todo }) => {
    const url = await at()
    const { log, doctor, ready } = await meet(url)
    for (const part of parts) for (const said of [log, doctor]) expect(said).toContain(part)
    const said = withoutPlace(log, url)
    if (ready !== undefined)
      expect(ready).toBe(
        `The database cannot be asked. ${said.replace('FOLDER/.s.PGSQL.PORT', 'HOST:PORT')}\n`,
      )
    rows.push(`| ${wrong} | ${said} | ${todo} |`)
  })
}

/** Without what one place has and another has not. */
function withoutPlace(said: string, url: string): string {
  const { origin, host, hostname, port, username, pathname } = new URL(url)
  const places: readonly (readonly [string, string])[] = [
    [`(${origin}${pathname})`, '(URL)'],
    [`${hostname}:${port || '5432'}`, 'HOST:PORT'],
    [`"${hostname}"`, '"HOST"'],
    [`"${username}"`, '"ROLE"'],
    [`"${pathname.slice(1)}"`, '"DATABASE"'],
    [folder, 'FOLDER'],
    ['.s.PGSQL.5432', '.s.PGSQL.PORT'],
    [`${host} `, 'HOST:PORT '],
  ]
  const opening = /^(Redis is in trouble|The signing keys of Better Auth cannot be had)\. /
  return places.reduce((text, [from, to]) => text.replaceAll(from, to), said.replace(opening, ''))
}

function firstWarning({ logged }: GatewayUnderTest): string {
  const lines = logged.map((line) => JSON.parse(line) as { level: string; msg: string })
  return lines.find(({ level }) => ['warn', 'error', 'fatal'].includes(level))?.msg ?? ''
}

const folder = await mkdtemp(join(tmpdir(), 'identity-reach-'))
const certificates = {
  localhost: createCertificate('localhost'),
  elsewhere: createCertificate('db.example'),
  expired: createCertificate('localhost', { expired: true }),
}
closing.push(
  () => rm(folder, { recursive: true }),
  ...Object.values(certificates).map(({ remove }) => remove),
)

async function port(server: Server): Promise<number> {
  closing.push(() => server.close())
  return listen(server, 0, '127.0.0.1')
}

/** Takes connections, and says nothing. */
const silent = await port(createSocketServer((socket) => socket.on('error', () => {})))

describe('PostgreSQL', () => {
  const change = (changes: Partial<URL>) => Object.assign(new URL(good), changes).href
  let tls: PostgresProcess

  /** Who may connect is written down; the certificate is that of this start. */
  async function serveTls({ certificate, key }: Certificate): Promise<URL> {
    await tls.stop()
    const files = { ssl_cert_file: certificate, ssl_key_file: key }
    await tls.start({ settings: { ssl: 'on', ...files, hba_file: join(folder, 'hba') } })
    return Object.assign(new URL(tls.url), { hostname: 'localhost' })
  }

  beforeAll(async () => {
    const hba = join(folder, 'hba')
    await writeFile(
      hba,
      'host all stranger all trust\nhost all postgres all scram-sha-256\nhostssl all ciphered all scram-sha-256\n',
    )
    if (nobody.uid !== undefined)
      for (const path of [folder, hba]) await chown(path, nobody.uid, nobody.gid)
    tls = await startPostgresProcess()
    closing.push(() => tls.remove())
    await serveTls(certificates.localhost)
    const { database } = identity
    await identity.sql(
      `create role crowded login password 'crowded' connection limit 0;
       grant connect on database ${database.name} to crowded`,
    )
    closing.push(() => identity.sql('drop owned by crowded; drop role crowded'))
  })

  const cases: readonly Case[] = [
    {
      wrong: 'the name of the host is wrong',
      url: () => change({ hostname: 'no-such-host.invalid' }),
      parts: ['There is no host "no-such-host.invalid"', 'check DATABASE_URL'],
      todo: 'Correct the name; in a container, see that its network knows it.',
    },
    {
      wrong: 'nothing listens there',
      url: () => change({ port: '1' }),
      parts: ['Nothing listens at 127.0.0.1:1', 'check DATABASE_URL'],
      todo: 'Start it, or correct host and port; in a container `localhost` is the container itself.',
    },
    {
      wrong: 'a firewall drops what is sent, or the server hangs (an imitation: silence)',
      url: () => change({ port: String(silent) }),
      parts: ['does not answer in time', 'a firewall'],
      todo: 'Let the gateway through security groups and firewalls.',
    },
    {
      wrong: 'the socket is missing',
      url: () => `postgresql://gateway@localhost/app?host=${folder}`,
      parts: ['There is no socket', 'check DATABASE_URL'],
      todo: 'Name the folder in which PostgreSQL keeps its socket (`unix_socket_directories`).',
    },
    {
      wrong: 'the password is wrong, or the role does not exist',
      url: () => change({ password: 'wrong' }),
      parts: ['refuses the password of the role', 'check DATABASE_URL'],
      todo: 'Correct both; write characters such as `@`, `:`, `/` and `#` of a password as `%40`, `%3A`, `%2F` and `%23`.',
    },
    {
      wrong: 'the URL has no password',
      url: () => change({ password: '' }),
      parts: ['wants a password', 'check DATABASE_URL'],
      todo: 'Write it into the URL, or the whole URL into a file (`DATABASE_URL_FILE`).',
    },
    {
      wrong: 'the role does not exist, and no password is asked for',
      url: () => tls.url.replace('postgres:secret', 'stranger'),
      parts: ['does not let the role "stranger" in', 'check DATABASE_URL'],
      todo: 'Create it: `doctor --sql` prints the SQL.',
    },
    {
      wrong: 'the database does not exist',
      url: () => change({ pathname: '/no-such-database' }),
      parts: ['has no database "no-such-database"', 'check DATABASE_URL'],
      todo: 'Name the one that Better Auth writes to.',
    },
    {
      wrong: '`pg_hba.conf` does not let the role in',
      url: async () => {
        const { href } = await serveTls(certificates.localhost)
        const trusted = `sslmode=verify-full&sslrootcert=${certificates.localhost.certificate}`
        return `${href.replace('postgres:secret', 'unlisted:secret')}?${trusted}`
      },
      parts: ['pg_hba.conf', 'check DATABASE_URL'],
      todo: 'Let the owner of the server add a line for this role, database and address.',
    },
    {
      wrong: 'TLS is required, and the URL does not ask for it',
      url: () => tls.url.replace('postgres:secret', 'ciphered:secret'),
      parts: ['lets nobody in without TLS', 'sslmode=require'],
      todo: 'Add `sslmode=verify-full`, and `sslrootcert=…` where the authority is one of your own.',
    },
    {
      wrong: 'the URL asks for TLS, which the server does not offer',
      url: () => `${good.href}?sslmode=require`,
      parts: ['offers no TLS', 'sslmode'],
      todo: 'Turn on `ssl` in PostgreSQL, or leave `sslmode` out inside of a network that you trust.',
    },
    {
      wrong: 'the authority of its certificate is not known here',
      url: async () => `${(await serveTls(certificates.localhost)).href}?sslmode=verify-full`,
      parts: ['of an authority that is not trusted here', 'sslrootcert=…'],
      todo: 'Download the authority of your provider, and name the file: `sslrootcert=/path/ca.crt`.',
    },
    {
      wrong: 'its certificate is for another name',
      url: async () => {
        const { href } = await serveTls(certificates.elsewhere)
        return `${href}?sslmode=verify-full&sslrootcert=${certificates.elsewhere.certificate}`
      },
      parts: ['a certificate of another name than "localhost"', 'check DATABASE_URL'],
      todo: 'Connect by the name that the certificate has.',
    },
    {
      wrong: 'its certificate has expired',
      url: async () => {
        const { href } = await serveTls(certificates.expired)
        return `${href}?sslmode=verify-full&sslrootcert=${certificates.expired.certificate}`
      },
      parts: ['a certificate that has expired'],
      todo: 'Let it be renewed; see whether the clock of this machine is right.',
    },
    {
      wrong: 'the file of the authority is missing',
      url: () => `${good.href}?sslmode=verify-full&sslrootcert=${folder}/ca.crt`,
      parts: ['names files that cannot be read: sslrootcert='],
      todo: 'Mount it, readable to the user of the process.',
    },
    {
      wrong: 'there are too many connections',
      url: () => change({ username: 'crowded', password: 'crowded' }),
      parts: ['has no connection left'],
      todo: 'Lower `DATABASE_POOL_SIZE` of every gateway, or raise `max_connections` or the limit of the role.',
    },
    {
      wrong: 'a pooler refuses settings (an imitation of RDS Proxy)',
      url: async () => {
        const pooler = await startPoolerImitation('RDS Proxy')
        closing.push(pooler.stop)
        return pooler.through(identity.database.url)
      },
      parts: ['is a pooler that refuses the settings', 'doctor --sql'],
      todo: 'Let the role have the settings by itself: `doctor --sql` prints the SQL.',
    },
  ]

  meets('PostgreSQL (`DATABASE_URL`)', cases, async (url) => {
    const environment = { DATABASE_URL: url, AUTH_ISSUER: 'https://auth.example.com' }
    const { findings } = await examine(environment)
    const doctor = findings.find(({ level }) => level === 'error')?.message ?? ''
    try {
      const gateway = gatewayWith(environment)
      await gateway.verify()
      const ready = await gateway.fetch(new Request('http://gateway/ready'))
      return { log: firstWarning(gateway), doctor, ready: await ready.text() }
    } catch (error) {
      // What is wrong with variables ends `serve` before it has a log.
      if (!(error instanceof ConfigError)) throw error
      return { log: error.message, doctor }
    }
  })
})

describe('Redis', () => {
  const servers: RedisProcess[] = []
  let [plain, ciphered, replica, node] = [0, 0, 0, 0]

  async function start(...settings: readonly string[]): Promise<number> {
    const server = await startRedisProcess({ settings })
    servers.push(server)
    return server.port
  }

  beforeAll(async () => {
    const { key, certificate } = certificates.localhost
    plain = await start('--requirepass', 'admin')
    const admin = new Redis({ port: plain, password: 'admin' })
    await admin.call('ACL', 'SETUSER', 'poor', 'on', '>poor', '~*', '+ping', '+info')
    admin.disconnect()
    replica = await start('--replicaof', '127.0.0.1', String(plain), '--masterauth', 'admin')
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key]
    ciphered = 20_000 + Math.floor(Math.random() * 10_000)
    const tls = ['--port', '0', '--tls-port', String(ciphered), '--tls-auth-clients', 'no']
    await start(...tls, ...files, '--tls-ca-cert-file', certificate)
    node = await start('--cluster-enabled', 'yes')
  })
  afterAll(() => Promise.all(servers.map((server) => server.kill())))

  const cases: readonly Case[] = [
    {
      wrong: 'the name of the host is wrong',
      url: () => 'redis://no-such-host.invalid:6379',
      parts: ['there is no such host', 'check REDIS_URL'],
      todo: 'Correct the name; in a container, see that its network knows it.',
    },
    {
      wrong: 'nothing listens there',
      url: () => 'redis://127.0.0.1:1',
      parts: ['nothing listens there', 'check REDIS_URL'],
      todo: 'Start it, or correct host and port.',
    },
    {
      wrong: 'it wants a password',
      url: () => `redis://127.0.0.1:${plain}`,
      parts: ['wants a password', 'add it to REDIS_URL'],
      todo: 'Write `redis://:password@host:port`, with the user before the colon where it has one.',
    },
    {
      wrong: 'the password is wrong',
      url: () => `redis://gateway:wrong@127.0.0.1:${plain}`,
      parts: ['refuses the user or the password', '%40'],
      todo: 'Correct it; a password with `@`, `:`, `/` or `#` has to be encoded.',
    },
    {
      wrong: 'its user may not do what the gateway does',
      url: () => `redis://poor:poor@127.0.0.1:${plain}`,
      parts: ['docs/permissions.md lists'],
      todo: 'Give it the commands and keys that [permissions](permissions.md) lists.',
    },
    {
      wrong: '`rediss://`, and the port speaks no TLS',
      url: () => `rediss://localhost:${plain}`,
      parts: ['redis:// where it speaks no TLS'],
      todo: 'Write `redis://`, or the port that speaks TLS.',
    },
    {
      wrong: '`redis://`, and the port speaks TLS',
      url: () => `redis://localhost:${ciphered}`,
      parts: ['ended the connection', 'write rediss://'],
      todo: 'Write `rediss://`.',
    },
    {
      wrong: 'the authority of its certificate is not known here',
      url: () => `rediss://localhost:${ciphered}`,
      parts: ['of an authority that is not trusted here', 'REDIS_CA_FILE'],
      todo: "Name the file of the authority's certificate in `REDIS_CA_FILE`.",
    },
    {
      wrong: 'it is a replica',
      url: () => `redis://127.0.0.1:${replica}`,
      parts: ['is a replica', 'name the primary'],
      todo: 'Name the primary, or the address that follows it.',
    },
    {
      wrong: 'it is a node of a Cluster that is down',
      url: () => `redis://127.0.0.1:${node}`,
      parts: ['its Redis Cluster is down', 'CLUSTER INFO'],
      todo: 'See which slots no node serves, and give them one.',
    },
  ]

  meets('Redis (`REDIS_URL`)', cases, async (url) => {
    const variables = { REDIS_URL: url, REDIS_TIMEOUT_MS: '1000' }
    const config = loadConfig({ DATABASE_URL: good.href, AUTH_ISSUER: 'x', ...variables })
    const findings = await checkRedis({ redis: config.redis })
    const gateway = gatewayWith(variables)
    onTestFinished(gateway.close)
    const token = await ada.jwt()
    // What Redis refuses shows when it is used.
    const use = async () => {
      const query = `{ can(organizationId: "${acme.id}", permission: "organization:update") }`
      await gateway.graphql(query, { token })
      return firstWarning(gateway)
    }
    await expect.poll(use, { timeout: 20_000 }).toContain('Redis')
    const doctor = findings.find(({ level }) => level === 'error')?.message ?? ''
    return { log: firstWarning(gateway), doctor }
  })
})

describe('keys', () => {
  const answers: Readonly<Record<string, RequestListener>> = {
    '/silence': () => {},
    '/moved': (_, response) => {
      response.writeHead(302, { location: 'https://elsewhere.example/login?token=x' }).end()
    },
    '/page': (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>')
    },
    '/json': (_, response) => void response.end('{"jwks_uri":"x"}'),
    '/empty': (_, response) => void response.end('{"keys":[]}'),
    '/private': (_, response) => void response.writeHead(401).end(),
    '/failed': (_, response) => void response.writeHead(503).end(),
  }
  const answer: RequestListener = (request, response) =>
    answers[request.url ?? '']
      ? answers[request.url ?? '']?.(request, response)
      : response.writeHead(404).end()
  let [http, https] = ['', '']

  beforeAll(async () => {
    const { certificate, key } = certificates.localhost
    const files = { cert: await readFile(certificate), key: await readFile(key) }
    http = `http://127.0.0.1:${await port(createServer(answer))}`
    https = `https://localhost:${await port(createTlsServer(files, answer))}`
  })

  const cases: readonly Case[] = [
    {
      wrong: 'the name of the host is wrong',
      url: () => 'https://no-such-host.invalid/api/auth/jwks',
      parts: ['there is no such host', 'correct the URL', 'NODE_USE_ENV_PROXY'],
      todo: 'Correct the name, or let Node.js use your proxy (`NODE_USE_ENV_PROXY=1`, with Node.js 24, or 22.21 and later).',
    },
    {
      wrong: 'nothing listens there',
      url: () => 'http://127.0.0.1:2/jwks',
      parts: ['nothing listens there', 'correct the URL'],
      todo: 'Start Better Auth; in a container `localhost` is the container itself.',
    },
    {
      wrong: 'no answer comes in time',
      url: () => `${http}/silence`,
      parts: ['does not answer in time', 'NODE_USE_ENV_PROXY'],
      todo: 'Let the gateway through firewalls, or let Node.js use your proxy.',
    },
    {
      wrong: 'the path is wrong',
      url: () => `${http}/missing`,
      parts: ['answers 404', '/api/auth/jwks'],
      todo: 'Name the path: `/api/auth/jwks` of Better Auth, with its jwt plug-in.',
    },
    {
      wrong: 'it redirects',
      url: () => `${http}/moved`,
      parts: ['redirects to https://elsewhere.example,', 'write the URL that it ends at'],
      todo: 'Name the last URL; of `http://` and `https://`, with `www` and without, take the one that answers.',
    },
    {
      wrong: 'it answers with a page',
      url: () => `${http}/page`,
      parts: ['a page (HTML)', '/api/auth/jwks'],
      todo: 'Name Better Auth itself, not the application; let no login or proxy come between.',
    },
    {
      wrong: 'it answers with other JSON',
      url: () => `${http}/json`,
      parts: ['something else in place of a key set', 'jwks_uri'],
      todo: 'Name the key set, not the configuration of the issuer.',
    },
    {
      wrong: 'there is no key',
      url: () => `${http}/empty`,
      parts: ['has no key, so no token can be verified'],
      todo: 'Let Better Auth sign a first token, which makes a key.',
    },
    {
      wrong: 'it may not be read',
      url: () => `${http}/private`,
      parts: ['answers 401', 'let everybody read it'],
      todo: 'Take the key set out from behind the login.',
    },
    {
      wrong: 'its server fails',
      url: () => `${http}/failed`,
      parts: ['answers 503', 'see its log'],
      todo: 'See the log of Better Auth, or of the proxy before it.',
    },
    {
      wrong: 'the authority of its certificate is not known here',
      url: () => `${https}/jwks`,
      parts: ['of an authority that is not trusted here', 'NODE_EXTRA_CA_CERTS'],
      todo: 'Start the gateway with `NODE_EXTRA_CA_CERTS=/path/ca.crt`.',
    },
    {
      wrong: '`https://`, and the port speaks no TLS',
      url: () => `${http.replace('http:', 'https:')}/jwks`,
      parts: ['speaks no TLS', 'http://'],
      todo: 'Write `http://` inside of a network that you trust, or the port that speaks TLS.',
    },
  ]

  meets('Keys (`AUTH_JWKS`, `SERVICE_JWKS_URL`)', cases, async (url) => {
    const gateway = gatewayWith({ AUTH_JWKS: url })
    const config = loadConfig({ DATABASE_URL: good.href, AUTH_ISSUER: 'x', AUTH_JWKS: url })
    const [[finding]] = await Promise.all([checkKeys({ config } as Examined), gateway.verify()])
    await expect.poll(() => firstWarning(gateway), { timeout: 10_000 }).not.toBe('')
    return { log: firstWarning(gateway), doctor: finding?.message ?? '' }
  })
})

const OPENING = `# When something cannot be reached

The log of \`serve\` says once why PostgreSQL, Redis or keys cannot be had, and once that they are back.
\`doctor\` says the same before anything is started, and \`/ready\` of PostgreSQL what is written here, with nothing of the
place. \`HOST\`, \`PORT\`, \`ROLE\`, \`DATABASE\`, \`FOLDER\` and \`URL\` stand for what is tried. The key set of \`SERVICE_JWKS_URL\`
is told of like that of \`AUTH_JWKS\`. Where all can be reached and a token is still refused, \`doctor --token -\` says why.

This page is printed by \`test/long/reach.test.ts\`, which meets each case.
`

const HEAD = '| what is wrong | what is said | what to do |\n|---|---|---|'

test('docs/troubleshooting.md is what is said', async () => {
  const printed = [...sections].reduce(
    (text, [title, rows]) => `${text}\n## ${title}\n\n${HEAD}\n${rows.join('\n')}\n`,
    OPENING,
  )
  if (process.env.UPDATE_DOCS) await writeFile(page, printed)
  const committed = await readFile(page, 'utf8').catch(() => '')
  expect(
    committed === printed,
    'docs/troubleshooting.md is stale: run this file with UPDATE_DOCS=1 and commit it.',
  ).toBe(true)
})
