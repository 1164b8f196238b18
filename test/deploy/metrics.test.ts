import { expect, test } from 'vitest'
import { dashboard, deployText, rules } from '../support/deploy.ts'
import { pageText } from '../support/documentation.ts'
import { printedMetrics } from '../support/metrics.ts'

const printed = await printedMetrics()
const shown = dashboard.panels.flatMap(({ targets }) => targets?.map(({ expr }) => expr) ?? [])
const asked = [...shown, ...rules.map(({ expr }) => expr)]

/** The names of the labels of each series that the gateway prints. */
const labelsOf = new Map<string, Set<string>>()
for (const [, name = '', labels = ''] of printed.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
  const found = labelsOf.get(name) ?? new Set(['job', 'instance'])
  for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) found.add(label)
  labelsOf.set(name, found)
}

/** Each series that an expression names, with its matchers. */
function seriesOf(expr: string) {
  return [
    ...expr.matchAll(/(?<!:)\b((?:identity_gateway|process|nodejs)_\w+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', matchers = '']) => ({
    name,
    matchers: [...matchers.matchAll(/(\w+)(?:=|!=|=~)"([^"]*)"/g)].map(
      ([, label = '', value = '']) => ({
        label,
        value,
      }),
    ),
  }))
}

test('the dashboard and the rules ask for what the gateway prints, by labels that it has', () => {
  for (const expr of asked) {
    const series = seriesOf(expr)
    const labels = new Set(series.flatMap(({ name }) => [...(labelsOf.get(name) ?? [])]))
    for (const { name, matchers } of series) {
      expect([...labelsOf.keys()], expr).toContain(name)
      for (const { label } of matchers)
        expect([...(labelsOf.get(name) ?? [])], expr).toContain(label)
    }
    if (series.length > 0)
      for (const [, by = ''] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g))
        for (const label of by.split(', ')) expect([...labels], expr).toContain(label)
  }
})

test('the values that they look for are those of the documentation, and the buckets are there', () => {
  const values = asked.flatMap((expr) =>
    seriesOf(expr).flatMap(({ matchers }) =>
      matchers.filter(({ label }) => !['job', 'instance'].includes(label)),
    ),
  )
  const documented = pageText('docs/operating.md') + pageText('docs/errors.md')
  expect(values.length).toBeGreaterThan(10)
  for (const { label, value } of values)
    for (const one of value.split('|'))
      if (label === 'le') expect(printed).toContain(`request_duration_seconds_bucket{le="${one}"`)
      else expect(documented).toContain(`\`${one}\``)
})

test('the dashboard shows every metric of the gateway', () => {
  const named = new Set(shown.flatMap((expr) => seriesOf(expr).map(({ name }) => name)))
  const types = [...printed.matchAll(/^# TYPE (identity_gateway_\w+)/gm)].map(
    ([, name = '']) => name,
  )
  const missing = types.filter(
    (type) => ![type, `${type}_bucket`, `${type}_count`].some((name) => named.has(name)),
  )
  expect(types.length).toBeGreaterThan(15)
  expect(missing).toEqual([])
})

test('its panels have ids of their own, and none lies upon another', () => {
  const ids = dashboard.panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})

test('every alert is told in words, and tested', () => {
  const alerts = rules.flatMap(({ alert, annotations }) => (alert ? [{ alert, annotations }] : []))
  const tests = deployText('prometheus/alerts.test.yaml')
  expect(alerts.length).toBeGreaterThan(10)
  for (const { alert, annotations } of alerts) {
    expect(annotations?.summary, alert).toBeTruthy()
    expect(tests).toMatch(new RegExp(`\\b${alert}\\b`))
  }
})
