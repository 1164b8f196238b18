import type { AdditionalField } from '../domain/additional-field.ts'
import type { Features } from '../domain/features.ts'
import { models } from './contract.ts'
import type { Layout, Table } from './layout.ts'

/** Which parts of the graph a database with these tables has. */
export function featuresOf(tables: Layout): Features {
  return {
    organizations: tables.Organization !== null && tables.Member !== null,
    models: new Set(models.filter((model) => tables[model] !== null)),
    userFields: new Set(Object.keys(tables.User?.columns ?? {})),
    additional: {
      User: additionalFields(tables.User),
      Organization: additionalFields(tables.Organization),
      Member: additionalFields(tables.Member),
    },
  }
}

function additionalFields(table: Table | null): AdditionalField[] {
  return Object.values(table?.columns ?? {}).flatMap(({ additional }) => additional ?? [])
}
