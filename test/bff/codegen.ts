import type { CodegenConfig } from '@graphql-codegen/cli'

/** A service outside of this repository takes the graph from node_modules/identity-gateway/schema.graphql. */
const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: 'src/**/*.ts',
  generates: {
    'src/gql/': {
      preset: 'client',
      // Writes src/gql/persisted-documents.json, the gateway's TRUSTED_DOCUMENTS_FILE.
      presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: {
          ID: 'string',
          DateTime: 'string',
          JSON: 'unknown',
          Permission: '../permission.ts#Permission',
        },
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
      },
    },
  },
}

export default config
