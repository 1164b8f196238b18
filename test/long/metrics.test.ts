import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { printedMetrics } from '../support/metrics.ts'
import { need } from './support/need.ts'

test("Prometheus' own check of metrics complains of none of ours", async () => {
  await need('promtool', 'prometheus')
  const check = (input: string) => {
    const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input })
    if (error) throw error
    return `${stdout}${stderr}`
  }
  expect(check('# TYPE identity_gateway_wrong counter\nidentity_gateway_wrong 1\n')).toContain(
    'identity_gateway_wrong',
  )
  expect(check(await printedMetrics())).not.toContain('identity_gateway_')
})
