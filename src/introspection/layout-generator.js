import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import helper from '@prisma/generator-helper'

// Prisma starts this file with the Node that runs its own command line, which may be too old for TypeScript.

helper.generatorHandler({
  onManifest: () => ({ prettyName: 'Layout', defaultOutput: '../src/repositories/generated' }),
  async onGenerate({ dmmf, generator }) {
    const folder = generator.output?.value
    if (!folder) throw new Error('The layout generator needs an output.')
    const layout = Object.fromEntries(
      dmmf.datamodel.models.map((model) => [model.name, toTable(model)]),
    )
    await writeFile(join(folder, 'layout.ts'), render(layout))
  },
})

/**
 * @param {import('@prisma/generator-helper').DMMF.Model} model
 * @returns {import('../repositories/layout.ts').Table | null}
 */
function toTable(model) {
  if (isAbsent(model)) return null
  const columns = model.fields.filter((field) => field.kind === 'scalar' && !isAbsent(field))
  return {
    name: model.dbName ?? model.name,
    columns: Object.fromEntries(columns.map((field) => [field.name, toColumn(field)])),
  }
}

/** @param {{ readonly documentation?: string }} marked */
function isAbsent({ documentation }) {
  return documentation?.startsWith('absent:') ?? false
}

/**
 * @param {import('@prisma/generator-helper').DMMF.Field} field
 * @returns {import('../repositories/layout.ts').Column}
 */
function toColumn(field) {
  return { name: field.dbName ?? field.name, type: toType(field) }
}

/**
 * @param {import('@prisma/generator-helper').DMMF.Field} field
 * @returns {import('../repositories/layout.ts').Column['type']}
 */
function toType({ name, type, nativeType, documentation }) {
  const stored = documentation?.match(/^stored as (uuid|enum|jsonb|json)$/)?.[1]
  if (stored === 'uuid' || stored === 'enum' || stored === 'jsonb' || stored === 'json')
    return stored
  if (type === 'String') return 'text'
  if (type === 'Boolean') return 'boolean'
  if (type === 'DateTime') return nativeType?.[0] === 'Timestamptz' ? 'timestamptz' : 'timestamp'
  throw new Error(`The layout has no type for ${name}, which is ${type}.`)
}

/** @param {Record<string, unknown>} layout */
function render(layout) {
  const literal = inspect(layout, { depth: Infinity, compact: 1, breakLength: 100 })
  return `import type { Layout } from '../layout.ts'\n\nexport const layout: Layout = ${literal}\n`
}
