import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { close, findFreePort, listen } from '../../src/demo/ports.ts'
import { type Server, startServer } from '../../src/http/server.ts'
import { documentedBlock } from '../support/documentation.ts'
import { world } from '../support/world.ts'
import { need } from './support/need.ts'
import { type Program, startProgram } from './support/program.ts'

/* nginx asks the gateway by auth_request and the adapter of docs/authzen.md, both as they are printed there. */

const { gatewayWith, ada, bob, carol, eve, acme, services } = await world({ own: true })
let folder: string
let gateway: Server
let adapter: Program
let url: string
const stops: (() => Promise<unknown>)[] = []
/** What the service behind nginx has seen. */
const seen: string[] = []

beforeAll(async () => {
  await need('nginx', 'nginx-light')
  folder = await mkdtemp(join(tmpdir(), 'identity-nginx-'))
  gateway = await startServer(gatewayWith({ AUTHZEN: 'on' }), { host: '127.0.0.1', port: 0 })
  stops.push(() => gateway.stop())
  const service = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('leave')
  })
  const [servicePort, adapterPort, port] = [
    await listen(service, 0, '127.0.0.1'),
    await findFreePort(),
    await findFreePort(),
  ]
  stops.push(() => close(service))
  await writeFile(join(folder, 'adapter.mjs'), documentedBlock('adapter.mjs').text)
  adapter = await startProgram(['adapter.mjs'], {
    cwd: folder,
    env: { PDP: gateway.url, PORT: String(adapterPort) },
    until: /listening on (\d+)/,
  })
  stops.push(() => adapter.stop())
  const printed = documentedBlock('auth_request /decision').text
  const config = printed
    .replace('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replace('127.0.0.1:3001', `127.0.0.1:${servicePort}`)
    .replace('127.0.0.1:9000', `127.0.0.1:${adapterPort}`)
    .replace('http {', `http {\n  access_log off;\n  ${temporaryPaths()}`)
  const file = join(folder, 'nginx.conf')
  await writeFile(file, `pid ${folder}/nginx.pid;\ndaemon off;\n${config}`)
  await mkdir(join(folder, 'logs'))
  const words = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')]
  const PATH = `${process.env.PATH}:/usr/sbin`
  const checked = spawnSync('nginx', ['-t', ...words], { env: { ...process.env, PATH } })
  expect(checked.stderr.toString()).toContain('test is successful')
  const nginx = spawn('nginx', words, { env: { ...process.env, PATH }, stdio: 'ignore' })
  stops.push(async () => {
    const ended = once(nginx, 'exit')
    nginx.kill('SIGQUIT')
    await ended
  })
  url = `http://127.0.0.1:${port}`
  await untilAnswered(url)
})

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  await rm(folder, { recursive: true, force: true })
})

async function untilAnswered(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => null))) await sleep(50)
}

/** Whoever runs the test may not be able to write where nginx does by itself. */
function temporaryPaths(): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')
}

async function ask(
  token: string | null,
  { method = 'POST', path = `/organizations/${acme.id}/leave/42`, headers = {} } = {},
) {
  const before = seen.length
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(method === 'POST' && { body: 'a body' }),
  })
  await response.text()
  return {
    status: response.status,
    seen: seen.length - before,
    challenge: response.headers.get('www-authenticate'),
  }
}

const allowed = { status: 200, seen: 1, challenge: null }
const refused = { status: 403, seen: 0, challenge: null }

describe('nginx', () => {
  test('lets through whom the gateway allows it, by method and organization', async () => {
    expect(await ask(await bob.jwt())).toEqual(allowed)
    expect(await ask(await carol.jwt())).toEqual(refused)
    expect(await ask(await carol.jwt(), { method: 'GET' })).toEqual(allowed)
    expect(await ask(await eve.jwt(), { method: 'GET' })).toEqual(refused)
    expect(await ask(await ada.jwt(), { path: '/organizations/nowhere/leave/42' })).toEqual(refused)
  })

  test('asks for a credential where there is none, or none that is good', async () => {
    const jwt = await bob.jwt()
    const [header, payload] = jwt.split('.')
    const forged = `${header}.${payload}.${'A'.repeat(86)}`
    for (const token of [null, 'none', forged])
      expect(await ask(token)).toEqual({
        status: 401,
        seen: 0,
        challenge: expect.stringMatching(/^Bearer error="invalid_token"/),
      })
  })

  test('takes no headers of clients for its own, and no path for a header', async () => {
    const headers = { 'x-action': 'request', 'x-organization': acme.id, 'x-resource': 'leave' }
    expect(await ask(await carol.jwt(), { headers })).toEqual(refused)
    const path = `/organizations/${acme.id}%0d%0aX-Action:%20request/leave/42`
    expect(await ask(await carol.jwt(), { path })).toMatchObject({ status: 404, seen: 0 })
    expect((await fetch(`${url}/decision`)).status).toBe(404)
  })

  test('lets nobody through whose token speaks of nobody', async () => {
    expect(await ask(await services.token('permissions:check'))).toEqual(refused)
    expect(await ask(await services.token('identity:read'))).toEqual(refused)
  })

  test('lets nobody through when no decision can be had', async () => {
    const token = await bob.jwt()
    await gateway.stop()
    expect(await ask(token)).toMatchObject({ status: 500, seen: 0 })
    await adapter.stop()
    expect(await ask(token)).toMatchObject({ status: 500, seen: 0 })
  })
})
