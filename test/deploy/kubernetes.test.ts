import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { deployPath, deployYaml, environments } from '../support/deploy.ts'

type Labels = Readonly<Record<string, string>>

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly timeoutSeconds: number
  readonly failureThreshold: number
}

interface Deployment {
  readonly spec: {
    readonly replicas?: number
    readonly selector: { readonly matchLabels: Labels }
    readonly template: {
      readonly metadata: { readonly labels: Labels }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly {
          readonly image: string
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
          readonly livenessProbe: Probe
          readonly readinessProbe: Probe
        }[]
      }
    }
  }
}

interface Port {
  readonly port: string | number
  readonly targetPort?: string
}

interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels }
    readonly ingress: readonly { readonly from?: unknown; readonly ports: readonly Port[] }[]
  }
}

const base = <Manifest>(file: string) => deployYaml<Manifest>(`kubernetes/base/${file}`)
const deployment = base<Deployment>('deployment.yaml')
const { template } = deployment.spec
const [container] = template.spec.containers
const config = loadConfig(environments.kubernetes ?? {})
const labels = { 'app.kubernetes.io/name': 'identity-gateway' }

test('every manifest is one of the base', () => {
  const { resources } = base<{ resources: readonly string[] }>('kustomization.yaml')
  const files = readdirSync(deployPath('kubernetes/base')).sort()
  expect([...resources, 'kustomization.yaml'].sort()).toEqual(files)
})

test('what selects pods selects those of the deployment', () => {
  expect(template.metadata.labels).toEqual(labels)
  expect(deployment.spec.selector.matchLabels).toEqual(labels)
  expect(base<NetworkPolicy>('network-policy.yaml').spec.podSelector.matchLabels).toEqual(labels)
  expect(base('service.yaml')).toMatchObject({ spec: { selector: labels } })
  expect(base('pod-disruption-budget.yaml')).toMatchObject({
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  })
  expect(deployYaml('kubernetes/pod-monitor.yaml')).toMatchObject({
    spec: {
      jobLabel: Object.keys(labels)[0],
      selector: { matchLabels: labels },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics' }],
    },
  })
})

test('the pod has no privileges, and cannot write', () => {
  expect(template.spec).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { requests: { memory: '512Mi' }, limits: { memory: '512Mi' } },
      },
    ],
  })
})

test('it is asked where it listens, for as long as an answer may take, and noticed while it still serves', () => {
  const ports = { http: config.http.port, metrics: config.http.metricsPort }
  expect(container?.ports).toEqual(
    Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
  )
  expect(container?.livenessProbe.httpGet).toEqual({ path: '/health', port: 'http' })
  const ready = container?.readinessProbe
  expect(ready?.httpGet).toEqual({ path: '/ready', port: 'http' })
  expect((ready?.timeoutSeconds ?? 0) * 1000).toBeGreaterThan(
    config.database.statementTimeoutMs + 500,
  )
  const noticedMs = ((ready?.periodSeconds ?? 0) * (ready?.failureThreshold ?? 0) + 1) * 1000
  expect(noticedMs).toBeLessThanOrEqual(config.http.shutdownGraceMs)
  const stoppingMs = config.http.shutdownGraceMs + 10_000
  expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(stoppingMs)
})

test('metrics are for the inside alone', () => {
  const { ingress } = base<NetworkPolicy>('network-policy.yaml').spec
  const open = ingress.filter(({ from }) => from === undefined).flatMap(({ ports }) => ports)
  expect(open).toEqual([{ port: 'http' }])
  expect(ingress.find(({ ports }) => ports[0]?.port === 'metrics')?.from).toEqual([
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
  ])
  const { ports } = base<{ spec: { ports: readonly Port[] } }>('service.yaml').spec
  expect(ports.map(({ targetPort }) => targetPort)).toEqual(['http'])
})

test('as many as there may be leave PostgreSQL connections', () => {
  const scaler = base<{ spec: { maxReplicas: number; minReplicas: number } }>(
    'horizontal-pod-autoscaler.yaml',
  )
  expect(scaler).toMatchObject({
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'identity-gateway' },
    },
  })
  expect(deployment.spec.replicas).toBeUndefined()
  expect(scaler.spec.minReplicas).toBeGreaterThan(1)
  const listening = 1
  const connections = (scaler.spec.maxReplicas + 1) * (config.database.poolSize + listening)
  expect(connections).toBeLessThan(97)
})
