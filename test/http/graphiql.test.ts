import { parse, validate } from 'graphql'
import { afterEach, expect, test } from 'vitest'
import {
  createGateway,
  type Gateway,
  type GraphiQLCaller,
  type GraphiQLSample,
  loadConfig,
} from '../../src/gateway.ts'
import { createSchema } from '../../src/graph/schema.ts'
import { samples as general } from '../../src/http/graphiql/samples.ts'
import { featuresOf } from '../../src/layout/features.ts'
import { layout } from '../support/layout.ts'

const schema = createSchema(featuresOf(layout))

let gateway: Gateway

afterEach(() => gateway.close())

async function page(
  environment: Readonly<Record<string, string>>,
  graphiqlCallers?: readonly GraphiQLCaller[],
  graphiqlSamples: readonly GraphiQLSample[] = [],
): Promise<string> {
  const config = loadConfig({
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing',
    AUTH_ISSUER: 'https://auth.example.com',
    LOG_LEVEL: 'silent',
    ...environment,
  })
  gateway = createGateway(config, {
    ...(graphiqlCallers && { graphiqlCallers }),
    graphiqlSamples,
  })
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

test('it fits narrow windows, and says what each of its parts is', async () => {
  const html = await page({}, [{ name: 'Nobody', token: null }])
  expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
  expect(html).toMatch(/<label for="caller">Ask as<\/label>/)
  for (const part of ['header', 'main', 'h1']) expect(html).toContain(`<${part}`)
})

test('samples are operations that the graph has, those that were given last', async () => {
  const given = [
    { title: 'Mine', query: 'query Mine { viewer { id } }', variables: '{}' },
    { title: 'Of another version', query: 'query Other { nothingLikeIt }' },
  ]
  const html = await page({}, [], given)
  const { samples } = JSON.parse(/\((\{"callers":.*\})\)<\/script>/.exec(html)?.[1] ?? '{}')
  const titles = samples.map(({ title }: { readonly title: string }) => title)
  expect(titles).toEqual([...general.map(({ title }) => title), 'Mine'])
  for (const { title, query } of general) expect(validate(schema, parse(query)), title).toEqual([])
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
