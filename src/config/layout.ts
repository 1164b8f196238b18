import type { Layout } from '../layout/layout.ts'
import { parseLayout } from '../layout/schema-file.ts'
import { type Config, reading } from './config.ts'

/** @throws ConfigError when the schema file is not a canonical schema.prisma. */
export function readLayout({ prismaSchema }: Pick<Config['database'], 'prismaSchema'>): Layout {
  return reading('PRISMA_SCHEMA_FILE', () => parseLayout(prismaSchema))
}
