import { defineConfig } from 'prisma/config'

// `generate` and `validate` never run the native schema engine, but the CLI would download it first.
// Naming any existing file keeps them working without a network; introspection uses the WASM build.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: '../prisma/schema.prisma' })
