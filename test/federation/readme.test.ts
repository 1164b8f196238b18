import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { documentedBlock } from '../support/documentation.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the blocks of the documentation leave to their readers. */
const routers = `
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import type { GatewayConfigSupergraph } from '@graphql-hive/gateway-runtime'
declare const supergraphSdl: string
declare function defineConfig(config: GatewayConfigSupergraph): unknown
`
const stitcher = `
import { readFileSync } from 'node:fs'
import { buildHTTPExecutor } from '@graphql-tools/executor-http'
import { type SubschemaConfig } from '@graphql-tools/delegate'
import { stitchSchemas } from '@graphql-tools/stitch'
import { stitchingDirectives } from '@graphql-tools/stitching-directives'
import { buildSchema } from 'graphql'
declare const leave: SubschemaConfig
export { schema }
`

test('the examples of routers and of a stitcher in the documentation compile', async () => {
  const directory = await mkdtemp(join(root, 'test/federation/.readme-'))
  try {
    await writeFile(
      join(directory, 'routers.ts'),
      routers + documentedBlock('new ApolloGateway(').text,
    )
    await writeFile(
      join(directory, 'stitcher.ts'),
      stitcher + documentedBlock('stitchSchemas(').text,
    )
    const compilerOptions = { verbatimModuleSyntax: false, exactOptionalPropertyTypes: false }
    await writeFile(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] }),
    )
    const compile = promisify(execFile)('npx', ['tsc', '-p', directory], { cwd: root })
    expect(await compile.catch(({ stdout }) => ({ stdout }))).toMatchObject({ stdout: '' })
  } finally {
    await rm(directory, { recursive: true })
  }
})
