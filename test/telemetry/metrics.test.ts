import { expect, test } from 'vitest'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { pageText } from '../support/documentation.ts'
import { printedMetrics } from '../support/metrics.ts'

/** The names of the labels of each metric of ours. */
function labelsOf(text: string): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {}
  for (const [, name = '', labels = ''] of text.matchAll(/^identity_gateway_(\w+)(?:\{(.*)\})? /gm))
    found[name.replace(/_(bucket|sum|count)$/, '')] = [...labels.matchAll(/(\w+)="/g)]
      .map(([, label = '']) => label)
      .filter((label) => label !== 'le')
  return found
}

test('the table of docs/operating.md names every metric, and its labels', async () => {
  const table =
    pageText('docs/operating.md').split('| metric | labels |')[1]?.split('\n\n')[0] ?? ''
  const rows = [...table.matchAll(/^\| (`.*) \|(.*)\|$/gm)].flatMap(
    ([, metrics = '', labels = '']) =>
      [...(metrics.split(':')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => [
        name,
        [...labels.matchAll(/`(\w+)`:/g)].map(([, label = '']) => label),
      ]),
  )
  const text = await printedMetrics()
  expect(Object.fromEntries(rows)).toEqual(labelsOf(text))
  const types = [...text.matchAll(/^# TYPE identity_gateway_(\w+)/gm)].map(([, name]) => name)
  expect(Object.keys(labelsOf(text)).sort(), 'some has no sample').toEqual(types.sort())
})

test('what is built, and that nothing has gone wrong yet, is told from the start', async () => {
  const text = await new Metrics().print()
  expect(text).toMatch(/^identity_gateway_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m)
  for (const status of ['2xx', '3xx', '4xx', '5xx', 'aborted'])
    expect(text).toContain(`identity_gateway_http_responses_total{status="${status}"} 0`)
})

test('once it stops it is not ready, whatever answers', async () => {
  const metrics = new Metrics()
  metrics.watch({
    pool: () => ({ size: 1, total: 0, idle: 0, waiting: 0 }),
    underWay: () => 0,
    subscriptions: () => 0,
    ready: async () => true,
    answering: { database: async () => true, redis: null },
    keyAges: () => ({}),
  })
  expect(await metrics.print()).toContain('identity_gateway_ready 1')
  metrics.stopping()
  expect(await metrics.print()).toContain('identity_gateway_ready 0')
})
