import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { close, findFreePort, listen } from '../../src/demo/ports.ts'
import { createGateway, type Gateway, loadConfig } from '../../src/gateway.ts'
import { type Server, startServer } from '../../src/http/server.ts'
import { type Browser, startBrowser } from './support/chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface DemoFacts {
  readonly graphql: string
  readonly auth: string
  readonly people: readonly { readonly email: string; readonly password: string }[]
}

/** What axe-core puts into a page. */
interface Axe {
  readonly axe: {
    run(): Promise<{
      readonly violations: readonly {
        readonly id: string
        readonly nodes: readonly { readonly target: readonly string[] }[]
      }[]
    }>
  }
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

/** Ports are not part of a site, so what signs in here has its cookie sent by every page of 127.0.0.1. */
async function signIn(): Promise<void> {
  const [{ email, password }] = demo.people as [DemoFacts['people'][0]]
  await browser.context.request.post(`${demo.auth}/sign-in/email`, {
    data: { email, password },
    headers: { origin: new URL(demo.auth).origin },
  })
}

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

  const bar = (id: string) => page.locator(`#${id}`).innerText()

  beforeEach(async () => {
    await page.goto(demo.graphql)
    await page.locator('.graphiql-query-editor', { hasText: 'query' }).waitFor()
  })

  test('shows the first person at the first visit, who that is and what the answer cost', async () => {
    await expect.poll(answer).toContain('"name": "Amara Okafor"')
    await expect
      .poll(() => bar('who'))
      .toBe(
        'You are Amara Okafor, owner of Tidewater Foundation, member and auditor of Harbor Logistics, admin of Northlight Clinic.',
      )
    await expect.poll(() => bar('cost')).toMatch(/^cost \d+ of 10,000, \d+ ms$/)
  })

  test.each([
    ['Mei Tanaka', '"name": "Mei Tanaka"'],
    ['Robin Ellis', '"name": "Robin Ellis"'],
    ['A service with every scope', '"viewer": null', 'You are a service'],
    ['Nobody', '"viewer": null', 'You are nobody'],
  ])('shows what %s sees when that is chosen', async (name, seen, who = `You are ${name}`) => {
    const tabs = await page.locator('.graphiql-tab').count()
    const option = page.locator('#callers option', { hasText: name }).first()
    await page.selectOption('#callers select', {
      value: (await option.getAttribute('value')) ?? '',
    })
    await expect.poll(answer).toContain(seen)
    await expect.poll(() => bar('who')).toContain(who)
    // After another visit everything is as it was left.
    await page.reload()
    await page.locator('.graphiql-query-editor', { hasText: 'WhoAmI' }).waitFor()
    expect(await page.locator('.graphiql-tab').count()).toBe(tabs)
    expect(await page.locator('#callers select').inputValue()).toContain(name)
    await expect.poll(() => bar('who')).toContain(who)
  })

  test('offers callers by organization, each with what they are there', async () => {
    const ofHarbor = page.locator('#callers optgroup[label="Harbor Logistics"] option')
    const names = await ofHarbor.allTextContents()
    expect(names).toContain('Amara Okafor (member, auditor)')
    expect(names).toContain('Jonas Lindqvist (owner)')
    expect(await page.getByLabel('Ask as').count()).toBe(1)
    const widths = await page.locator('#caller').evaluate((select) => {
      const longest = [...(select as HTMLSelectElement).options].map(({ text }) => text.length)
      return { select: select.clientWidth, longest: Math.max(...longest) * 6 }
    })
    expect(widths.select).toBeGreaterThan(widths.longest)
  })

  test('opens with samples, each of which is answered, and shows data before errors', async () => {
    await choose('Amara Okafor')
    const tabs = page.locator('.graphiql-tab-button')
    expect(await tabs.count()).toBeGreaterThan(5)
    for (const index of (await tabs.all()).keys()) {
      await tabs.nth(index).click()
      const name = await tabs.nth(index).innerText()
      await page.locator('.graphiql-query-editor', { hasText: name }).waitFor()
      const answering = page.waitForResponse(
        (response) => response.request().postData()?.includes(name) === true,
      )
      await page.click('.graphiql-execute-button')
      const told = await (await answering).json()
      expect(told.data, name).not.toBeUndefined()
      const codes = (told.errors ?? []).map(
        ({ extensions }: { readonly extensions: { readonly code: string } }) => extensions.code,
      )
      const isRefused = ['RefusedOnPurpose', 'AServiceAsks', 'Users'].includes(name)
      expect(codes, name).toEqual(isRefused ? ['FORBIDDEN'] : [])
      if (codes.length > 0) await expect.poll(answer).toMatch(/"data"[\s\S]*"errors"/)
      await expect.poll(() => bar('cost')).toMatch(codes.length > 0 ? /, 1 error$/ : / ms$/)
    }
    await tabs.nth(0).click()
  })

  test('opens a sample again, and what was asked before, each in a tab of its own', async () => {
    const tabs = await page.locator('.graphiql-tab').count()
    await page.click('#tools button:text("Samples")')
    await page.click('#samples button:text("May I?")')
    await page.locator('.graphiql-tab-active', { hasText: 'MayI' }).waitFor()
    await page.click('.graphiql-execute-button')
    await expect.poll(answer).toContain('"mayApprove"')
    await page.click('#tools button:text("History")')
    const [latest = ''] = await page.locator('#history button').allInnerTexts()
    expect(latest).toMatch(/MayI · Amara Okafor · cost \d+ of 10,000, \d+ ms$/)
    await page.click('#history button >> nth=0')
    expect(await page.locator('.graphiql-tab').count()).toBe(tabs + 2)
    for (const _ of [1, 2]) await page.locator('.graphiql-tab-close').last().click()
    await page.locator('.graphiql-tab-button').first().click()
  })

  test('copies a command for a shell that is answered as whoever is chosen', async () => {
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await choose('Mei Tanaka')
    await page.click('#tools button:text("Samples")')
    await page.click('#samples button:text("Who am I?")')
    await page.click('#curl')
    await expect.poll(() => page.locator('#curl').innerText()).toBe('Copied')
    const command = await page.evaluate(() => navigator.clipboard.readText())
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} --silent`])
    expect(JSON.parse(stdout).data.viewer.name).toBe('Mei Tanaka')
    await choose('Amara Okafor')
  })

  test.each([400, 1400])('has no fault that axe finds, at %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 900 })
    await page.addScriptTag({ path: `${root}/test/clients/node_modules/axe-core/axe.min.js` })
    for (const open of ['', 'Samples', 'History', 'Help']) {
      if (open) await page.click(`#tools button:text("${open}")`)
      // What is in GraphiQL's own part is for others to mend.
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as Axe).axe.run()
        return violations.flatMap(({ id, nodes }) =>
          nodes
            .map(({ target: [selector = ''] }) => selector)
            .filter(
              (selector) =>
                !document.querySelector(selector)?.closest('#root, .monaco-aria-container'),
            )
            .map((selector) => `${id}: ${selector}`),
        )
      })
      expect(found, open).toEqual([])
      if (open) await page.keyboard.press('Escape')
    }
    const overflow = () => document.documentElement.scrollWidth - window.innerWidth
    expect(await page.evaluate(overflow)).toBe(0)
    await page.setViewportSize({ width: 1280, height: 720 })
  })

  async function choose(name: string): Promise<void> {
    const option = page.locator('#callers option', { hasText: name }).first()
    await page.selectOption('#callers select', {
      value: (await option.getAttribute('value')) ?? '',
    })
    await expect.poll(() => bar('who')).toContain(`You are ${name}`)
  }

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

describe('GraphiQL of a gateway without callers', () => {
  const token = 'header.SECRET.signature'
  let gateway: Gateway
  let server: Server

  beforeAll(async () => {
    // It explains itself, and asks no database.
    const environment = {
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
      AUTH_ISSUER: 'https://auth.example.com',
      LOG_LEVEL: 'silent',
    }
    gateway = createGateway(loadConfig(environment))
    server = await startServer(gateway, { host: '127.0.0.1', port: 0 })
  })

  afterAll(async () => {
    await server?.stop()
  })

  test('keeps nothing of a token, and forgets what earlier versions kept', async () => {
    await page.goto(`${server.url}/health`)
    await page.evaluate((kept) => {
      localStorage.setItem('graphiql:headers', kept)
      localStorage.setItem('graphiql:shouldPersistHeaders', 'true')
      const tab = { id: '1', hash: null, title: 'Old', query: '{ __typename }', variables: null }
      const tabs = [{ ...tab, headers: kept, operationName: null, response: null }]
      localStorage.setItem('graphiql:tabState', JSON.stringify({ activeTabIndex: 0, tabs }))
    }, token)
    await page.goto(`${server.url}/graphql`)
    await page.click('.graphiql-editor-tools button:text("Headers")')
    await page.click('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines')
    await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${token}` }))
    const answering = page.waitForRequest(
      (request) => request.postData()?.includes('viewer') === true,
    )
    await page.click('.graphiql-execute-button')
    // Who that is, is asked again with what is in the editor.
    expect((await (await answering).allHeaders()).authorization).toBe(`Bearer ${token}`)
    await page.locator('#who', { hasText: 'Nobody is known' }).waitFor()
    // GraphiQL stores what was changed after half a second.
    await page.waitForTimeout(1500)
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
    )
    expect(kept).toContain('graphiql:tabState')
    expect(kept).not.toContain('SECRET')
    expect(await page.locator('#callers').count()).toBe(0)
    expect(page.url()).not.toContain('SECRET')
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

  beforeAll(signIn)

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
    expect(await answer.json()).toEqual({
      data: { viewer: null },
      extensions: { cookie: { ignored: 'origin', hint: expect.stringContaining('CORS_ORIGINS') } },
    })
  })
})

describe('changes', () => {
  beforeAll(signIn)

  /** What the first event says to a page that opens an EventSource with the cookies of whoever is signed in. */
  async function firstEvent(origin: string): Promise<unknown> {
    await page.goto(origin)
    return page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const query = 'subscription { viewerChanged { kind viewer { name } } }'
          const address = `${url}?query=${encodeURIComponent(query)}`
          const source = new EventSource(address, { withCredentials: true })
          const end = (told: unknown) => {
            source.close()
            resolve(told)
          }
          source.addEventListener('next', ({ data }) => end(JSON.parse(data)))
          source.addEventListener('error', () => end(null))
        }),
      demo.graphql,
    )
  }

  test('are told to an EventSource of the gateway’s own host and of a page that is listed', async () => {
    const told = {
      data: { viewerChanged: { kind: 'READ_AGAIN', viewer: { name: 'Amara Okafor' } } },
    }
    expect(await firstEvent(`${demo.graphql}?query={__typename}`)).toEqual(told)
    expect(await firstEvent(allowed.origin)).toEqual(told)
    expect(await firstEvent(other.origin)).toBeNull()
  })

  test('are shown in GraphiQL as they come', async () => {
    const query = 'subscription News { viewerChanged { kind viewer { name } } }'
    await page.goto(`${demo.graphql}?query=${encodeURIComponent(query)}`)
    await page.locator('.graphiql-query-editor', { hasText: 'News' }).waitFor()
    await page.locator('.graphiql-execute-button').click()
    const shown = page.locator('.result-window', { hasText: 'READ_AGAIN' })
    await shown.waitFor()
    expect(await shown.innerText()).toContain('viewerChanged')
  })

  test('go from one window to another: who loses a role sees the button go grey', async () => {
    const live = `${new URL(demo.auth).origin}/live`
    await page.goto(live)
    await page.getByRole('link', { name: 'Jonas Lindqvist (owner)' }).click()
    const member = await browser.context.newPage()
    await member.goto(live)
    await member.getByRole('link', { name: 'Ravi Kulkarni' }).click()
    const button = member.getByRole('button', { name: 'Approve leave' })
    const row = page.getByRole('row', { name: 'Ravi Kulkarni' })
    expect(await button.isDisabled()).toBe(true)
    await row.getByRole('button', { name: 'Make them an approver' }).click()
    await expect.poll(() => button.isEnabled()).toBe(true)
    await row.getByRole('button', { name: 'Take the role from them' }).click()
    await expect.poll(() => button.isDisabled()).toBe(true)
    await member.close()
  })
})

test('nothing but this machine was asked for anything', () => {
  const hosts = addresses
    .filter((address) => !/^(data|about):/.test(address))
    .map((address) => new URL(address.replace(/^blob:/, '')).hostname)
  expect(hosts.length).toBeGreaterThan(20)
  expect([...new Set(hosts)]).toEqual(['127.0.0.1'])
})
