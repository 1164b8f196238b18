import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseYAML } from 'confbox'
import { valuesOf } from './dockerfile.ts'

export type Environment = Readonly<Record<string, string>>

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

interface ComposeService {
  readonly image?: string
  readonly environment?: Environment
  readonly secrets?: readonly string[]
  readonly command?: string
  readonly stop_grace_period?: string
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert?: string
      readonly record?: string
      readonly expr: string
      readonly annotations?: Environment
    }[]
  }[]
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly type: string
    readonly options?: Readonly<Record<string, unknown>>
    readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

/** The path of a file of deploy/. */
export function deployPath(path: string): string {
  return fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url))
}

export function deployText(path: string): string {
  return readFileSync(deployPath(path), 'utf8')
}

export function deployYaml<Content>(path: string): Content {
  return parseYAML<Content>(deployText(path))
}

export const compose = deployYaml<Compose>('compose.yaml')
export const rules = ['alerts.yaml', 'slo.yaml'].flatMap((file) =>
  deployYaml<Rules>(`prometheus/${file}`).groups.flatMap((group) => group.rules),
)
export const dashboard = JSON.parse(deployText('grafana/dashboard.json')) as Dashboard

/** What a gateway is told in each way to deploy it, with the examples of its secrets. */
export const environments: Readonly<Record<string, Environment>> = {
  compose: {
    ...image(),
    ...secretsIn('secrets.example', '/run/secrets', compose.services['gateway-1']?.environment),
  },
  kubernetes: {
    ...image(),
    ...secretsIn('kubernetes/example', '/run/secrets/identity-gateway', kubernetes()),
  },
  systemd: secretsIn('secrets.example', '%d', systemd()),
}

function image(): Environment {
  return pairs(valuesOf('ENV').flatMap((words) => words.split(' ')))
}

function secretsIn(folder: string, mounted: string, environment: Environment = {}): Environment {
  const told = Object.entries(environment).map(([name, value]) => [
    name,
    name.endsWith('_FILE') ? value.replace(mounted, deployPath(folder)) : value,
  ])
  return Object.fromEntries(told)
}

interface Kustomization {
  readonly configMapGenerator: readonly { readonly literals: readonly string[] }[]
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env: readonly { name: string; value: string }[] }[]
      }
    }
  }
}

function kubernetes(): Environment {
  const literals = ['base', 'example'].flatMap((folder) =>
    deployYaml<Kustomization>(`kubernetes/${folder}/kustomization.yaml`).configMapGenerator.flatMap(
      (generator) => generator.literals,
    ),
  )
  const { containers } = deployYaml<Deployment>('kubernetes/base/deployment.yaml').spec.template
    .spec
  const env = containers.flatMap((container) => container.env)
  return {
    ...pairs(literals),
    ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
  }
}

function systemd(): Environment {
  const unit = deployText('systemd/identity-gateway@.service')
  const words = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, said = '']) =>
    said.replaceAll('%i', '4001').split(' '),
  )
  const lines = deployText('systemd/gateway.env.example').split('\n')
  return pairs([...words, ...lines.filter((line) => line !== '' && !line.startsWith('#'))])
}

function pairs(words: readonly string[]): Environment {
  return Object.fromEntries(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  )
}
