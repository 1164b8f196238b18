import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseYAML } from 'confbox'
import { describe, expect, test } from 'vitest'
import { dashboard, deployPath, deployText, deployYaml } from '../support/deploy.ts'
import { complaintOf } from './support/typed.ts'

/*
 * The files of deploy/ by the schemas of those who read them, as npm has them: Kubernetes and the Prometheus Operator (types
 * and validators made from their own OpenAPI documents), the Compose Specification, the Dockerfile, Grafana. A copy with one
 * fault shows each time that a fault is found.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of test/deploy, which has packages of its own. */
const packages = createRequire(deployPath('../test/deploy/x.js'))

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
}

interface Compiler {
  compile(schema: object): ((content: unknown) => boolean) & { readonly errors?: unknown }
}

describe('Kubernetes', () => {
  const own = readdirSync(deployPath('kubernetes/base'))
    .filter((file) => file !== 'kustomization.yaml')
    .map((file) => `base/${file}`)
  const manifests = [...own, 'pod-monitor.yaml'].map(
    (file) => [file, deployYaml<Manifest>(`kubernetes/${file}`)] as const,
  )

  test.each(manifests)('%s is what the API takes', async (_, manifest) => {
    expect(await complaintOf(programOf(manifest))).toBeNull()
  })

  const [, deployment] = manifests.find(([file]) => file.endsWith('deployment.yaml')) ?? []
  const [, monitor] = manifests.find(([file]) => file.endsWith('monitor.yaml')) ?? []

  test.each([
    ['a key that is spelt wrongly', deployment, 'periodSeconds', 'periodSecond'],
    ['a number in quotes', deployment, '"containerPort":4000', '"containerPort":"4000"'],
    ['a value that is none of those there are', deployment, 'RollingUpdate', 'Rolling'],
    ['what is required and not there', deployment, '"name":"gateway",', ''],
    ['a number out of its range', deployment, '"maxSkew":1', '"maxSkew":3000000000'],
    ['a key of the monitor that is spelt wrongly', monitor, '"interval"', '"intervall"'],
    ['a duration that is none', monitor, '15s', '15 seconds'],
  ])('and %s is not', async (_, manifest, written, wrong) => {
    const text = JSON.stringify(manifest)
    expect(text).toContain(written)
    const broken = JSON.parse(text.replace(written, wrong))
    expect(await complaintOf(programOf(broken))).toMatch(/error TS|must /)
  })

  const kustomize = (path: string) =>
    spawnSync('kubectl', ['kustomize', deployPath(path)], { encoding: 'utf8' })

  test.skipIf(kustomize('kubernetes/base').error)(
    'and so is each object that Kustomize makes of the example',
    async () => {
      const { stdout, stderr } = kustomize('kubernetes/example')
      const objects = stdout.split('\n---\n').map((text) => parseYAML<Manifest>(text))
      // The API takes base64 on several lines as well, which the validator does not.
      const text = JSON.stringify(objects).replaceAll('\\n', '')
      expect(
        objects.map(({ kind }) => kind),
        stderr,
      ).toContain('Secret')
      expect(objects).toHaveLength(own.length + 2)
      for (const object of JSON.parse(text)) expect(await complaintOf(programOf(object))).toBeNull()
    },
  )

  /** Its keys are held against the type, its values against the validator: an API may know more keys than it documents. */
  function programOf(manifest: Manifest): string {
    const { apiVersion, kind } = manifest
    const models = apiVersion.startsWith('monitoring.coreos.com/')
      ? '@kubernetes-models/prometheus-operator'
      : 'kubernetes-models'
    return `
      import { type I${kind}, ${kind} } from '${models}/${apiVersion}/${kind}'
      const manifest: I${kind} = ${JSON.stringify(manifest)}
      new ${kind}(manifest).validate()
    `
  }
})

describe('Compose', () => {
  const path = packages.resolve('dclint/package.json').replace('package.json', '')
  const { $schema: _, ...schema } = JSON.parse(
    readFileSync(`${path}schemas/compose.schema.json`, 'utf8'),
  )
  const { default: Validator } = packages('ajv') as { default: new (options: object) => Compiler }
  const validate = new Validator({ strict: false, validateFormats: false }).compile(schema)
  const text = deployText('compose.yaml')

  test('the file is one by the specification', () => {
    expect(validate(parseYAML(text)), JSON.stringify(validate.errors)).toBe(true)
  })

  test.each([
    ['a key that is spelt wrongly', 'stop_grace_period:', 'stop_grace_periods:'],
    ['a list that is none', 'cap_drop: [ALL]', 'cap_drop: ALL'],
    ['a secret by another key', 'file: secrets/redis-url', 'path: secrets/redis-url'],
  ])('and with %s it is not', (_, written, wrong) => {
    expect(text).toContain(written)
    expect(validate(parseYAML(text.replace(written, wrong)))).toBe(false)
  })
})

describe('the Dockerfile', () => {
  const { validate } = packages('dockerfile-utils') as {
    validate(text: string): readonly { readonly message: string }[]
  }
  const text = readFileSync(`${root}/Dockerfile`, 'utf8')

  test('has no instruction, flag or argument that there is not', () => {
    expect(validate(text).map(({ message }) => message)).toEqual([])
  })

  test.each([
    ['RUN npm ci\n', 'RUNS npm ci\n'],
    ['--start-period', '--start-periods'],
    ['--interval=10s', '--interval=10'],
    ['EXPOSE 4000', 'EXPOSE http'],
  ])('%s may not be %s', (written, wrong) => {
    expect(text).toContain(written)
    expect(validate(text.replace(written, wrong))).not.toEqual([])
  })
})

describe('Grafana', () => {
  test('the dashboard is one by its types', async () => {
    expect(await complaintOf(programOf(dashboard))).toBeNull()
  })

  test.each([
    ['graphTooltip', 'graphTooltips'],
    ['"mode":"absolute"', '"mode":"total"'],
    ['"placement":"bottom"', '"placement":"below"'],
    ['"calcs":', '"calculations":'],
    ['"gridPos":{"x":0', '"gridPos":{"x":"0"'],
  ])('and with %s as %s it is not', async (written, wrong) => {
    const text = JSON.stringify(dashboard)
    expect(text).toContain(written)
    const broken = JSON.parse(text.replace(written, wrong))
    expect(await complaintOf(programOf(broken))).toMatch(/error TS/)
  })

  function programOf(shown: typeof dashboard): string {
    const options = shown.panels.flatMap(({ type, options }) =>
      options ? [`{ type: '${type}', options: ${JSON.stringify(options)} }`] : [],
    )
    const place = '@grafana/schema/dist/esm/raw/composable'
    return `
      import type { Dashboard } from '@grafana/schema'
      import type { Options as Series } from '${place}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen'
      import type { Options as Stat } from '${place}/stat/panelcfg/x/StatPanelCfg_types.gen'
      // In a file an enum is a string, and what has a default may be left out.
      type Written<T> = T extends string
        ? \`\${T}\`
        : T extends object
          ? { [K in keyof T]: Written<T[K]> }
          : T
      type Some<T> = T extends object ? { [K in keyof T]?: Some<T[K]> } : T
      type Options =
        | { type: 'timeseries'; options: Some<Written<Series>> }
        | { type: 'stat'; options: Some<Written<Stat>> }
      export const dashboard: Written<Dashboard> = ${JSON.stringify(shown)}
      export const options: Options[] = [${options.join(', ')}]
    `
  }
})
