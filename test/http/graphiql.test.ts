import { afterEach, expect, test } from 'vitest'
import { createGateway, type Gateway, type GraphiQLCaller, loadConfig } from '../../src/gateway.ts'

let gateway: Gateway

afterEach(() => gateway.close())

async function page(
  environment: Readonly<Record<string, string>>,
  graphiqlCallers?: readonly GraphiQLCaller[],
): Promise<string> {
  const config = loadConfig({
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    AUTH_ISSUER: 'https://auth.example.com',
    LOG_LEVEL: 'silent',
    ...environment,
  })
  gateway = createGateway(config, graphiqlCallers ? { graphiqlCallers } : {})
  const request = new Request('http://gateway/graphql', { headers: { accept: 'text/html' } })
  return (await gateway.fetch(request)).text()
}

test('outside of production there is a page, which offers nobody', async () => {
  const html = await page({})
  expect(html).toContain('<title>Identity Gateway</title>')
  expect(html).not.toContain('id="callers"')
})

test('in production there is none unless it is asked for', async () => {
  expect(await page({ NODE_ENV: 'production' })).not.toContain('<title>')
  await gateway.close()
  expect(await page({ NODE_ENV: 'production', GRAPHIQL: 'on' })).toContain('<title>')
})

test('callers are offered as data that ends no script', async () => {
  const html = await page({}, [{ name: '</script><b>Eve', token: 'a.b.c' }])
  expect(html).toContain('id="callers"')
  expect(html).not.toContain('</script><b>Eve')
  expect(html).toContain('"name":"\\u003c/script>\\u003cb>Eve","token":"a.b.c"')
})

test('the page asks no other host for anything', async () => {
  const html = await page({}, [{ name: 'Nobody', token: null }])
  expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="https?:/)
})
