import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { close, findFreePort, listen } from '../../src/demo/ports.ts'
import { type Browser, startBrowser } from './support/chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface DemoFacts {
  readonly graphql: string
  readonly auth: string
  readonly people: readonly { readonly email: string; readonly password: string }[]
}

let browser: Browser
let page: Page
let demo: DemoFacts
let process_: ChildProcess
/** Pages of two origins beside the gateway's own, of which the first may ask. */
let allowed: { readonly origin: string; readonly server: HttpServer }
let other: typeof allowed
/** Where the browser went, whatever for. */
const addresses: string[] = []

beforeAll(async () => {
  browser = await startBrowser()
  browser.context.on('request', (request) => addresses.push(request.url()))
  allowed = await startPages()
  other = await startPages()
  const port = await findFreePort()
  const env = { PATH: process.env.PATH, PORT: String(port), CORS_ORIGINS: allowed.origin }
  process_ = spawn(process.execPath, ['dist/cli/main.js', 'demo', '--json'], { cwd: root, env })
  demo = await new Promise((resolve, reject) => {
    if (process_.stdout)
      createInterface({ input: process_.stdout }).once('line', (line) => resolve(JSON.parse(line)))
    process_.once('exit', (code) => reject(new Error(`The demo ended with ${code}.`)))
  })
})

afterAll(async () => {
  await browser?.close()
  for (const pages of [allowed, other]) if (pages) await close(pages.server)
  if (process_?.exitCode === null) {
    process_.kill('SIGTERM')
    await once(process_, 'exit')
  }
})

beforeEach(async () => {
  page = await browser.context.newPage()
  page.setDefaultTimeout(20_000)
})

afterEach(() => page.close())

async function startPages(): Promise<typeof allowed> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Another site</title>')
  })
  return { origin: `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`, server }
}

describe('GraphiQL of the demo', () => {
  /** The editor shows spaces that do not break. */
  const answer = async () =>
    (await page.locator('.result-window').innerText()).replaceAll('\u00a0', ' ')

  beforeEach(async () => {
    await page.goto(demo.graphql)
    await page.locator('.graphiql-query-editor', { hasText: 'Viewer' }).waitFor()
  })

  test('shows the first person when the query it opens with is run', async () => {
    await page.click('.graphiql-execute-button')
    await expect.poll(answer).toContain('"name": "Amara Okafor"')
  })

  test.each([
    ['Mei Tanaka', '"name": "Mei Tanaka"'],
    ['Robin Ellis', '"name": "Robin Ellis"'],
    ['A service with every scope', '"viewer": null'],
    ['Nobody', '"viewer": null'],
  ])('shows what %s sees when that is chosen', async (name, seen) => {
    const option = page.locator('#callers option', { hasText: name })
    await page.selectOption('#callers select', await option.innerText())
    await expect.poll(answer).toContain(seen)
    // After another visit everything is as it was left.
    await page.reload()
    await page.locator('.graphiql-query-editor', { hasText: 'Viewer' }).waitFor()
    expect(await page.locator('.graphiql-tab').count()).toBe(1)
    expect(await page.locator('#callers select').inputValue()).toContain(name)
  })

  test('sends a token of its reader instead of theirs', async () => {
    const status = await page.evaluate(async (address) => {
      const headers = { 'content-type': 'application/json', authorization: 'Bearer nonsense' }
      const body = JSON.stringify({ query: '{ viewer { name } }' })
      return (await fetch(address, { method: 'POST', headers, body })).status
    }, demo.graphql)
    expect(status).toBe(401)
  })

  test('explains Organization.viewerCan', async () => {
    await page.click('[aria-label="Show Documentation Explorer"]')
    await page.fill('.graphiql-doc-explorer-search input', 'viewerCan')
    await page.click('[role=option]:has-text("Organization.viewerCan")')
    const text = () => page.locator('.graphiql-doc-explorer').innerText()
    await expect.poll(text).toContain('Whether the user who calls may do this here')
    expect(await text()).toMatch(/permission: Permission!\s+For example leave:approve/)
  })

  test('fits the window', async () => {
    const sizes = await page.evaluate(() => {
      const bottoms = [...document.querySelectorAll('#root, .graphiql-main, .graphiql-sessions')]
      return [window.innerHeight, ...bottoms.map((part) => part.getBoundingClientRect().bottom)]
    })
    expect(Math.max(...sizes)).toBe(sizes[0])
  })
})

describe('a page of another origin', () => {
  /** Asks with whatever credentials the browser has. `null`: the browser lets the page read nothing. */
  async function askFrom(origin: string): Promise<unknown> {
    await page.goto(origin)
    return page.evaluate(async (address) => {
      const body = JSON.stringify({ query: '{ viewer { name } }' })
      const headers = { 'content-type': 'application/json' }
      try {
        const response = await fetch(address, {
          method: 'POST',
          credentials: 'include',
          headers,
          body,
        })
        return await response.json()
      } catch {
        return null
      }
    }, demo.graphql)
  }

  beforeAll(async () => {
    // Ports are not part of a site, so what signs in here has its cookie sent by every page of 127.0.0.1.
    const [{ email, password }] = demo.people as [DemoFacts['people'][0]]
    await browser.context.request.post(`${demo.auth}/sign-in/email`, {
      data: { email, password },
      headers: { origin: new URL(demo.auth).origin },
    })
  })

  test('that is listed reads as whoever is signed in', async () => {
    expect(await askFrom(allowed.origin)).toEqual({ data: { viewer: { name: 'Amara Okafor' } } })
  })

  test('that is not listed reads nothing', async () => {
    expect(await askFrom(other.origin)).toBeNull()
  })

  test('that is not listed is answered as nobody by a form, though the cookie is sent', async () => {
    await page.goto(other.origin)
    const answering = page.waitForResponse(demo.graphql)
    await page.evaluate((action) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action })
      form.append(
        Object.assign(document.createElement('input'), { name: 'query', value: '{viewer{name}}' }),
      )
      document.body.append(form)
      form.submit()
    }, demo.graphql)
    const answer = await answering
    expect((await answer.request().allHeaders()).cookie).toContain('better-auth.session_token=')
    expect(await answer.json()).toEqual({ data: { viewer: null } })
  })
})

test('nothing but this machine was asked for anything', () => {
  const hosts = addresses
    .filter((address) => !/^(data|about):/.test(address))
    .map((address) => new URL(address.replace(/^blob:/, '')).hostname)
  expect(hosts.length).toBeGreaterThan(20)
  expect([...new Set(hosts)]).toEqual(['127.0.0.1'])
})
