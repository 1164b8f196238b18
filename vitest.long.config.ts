import { mergeConfig } from 'vitest/config'
import usual from './vitest.config.ts'

const { include: _usual, exclude: _long, globalSetup, ...test } = usual.test ?? {}

// biome-ignore lint/style/noDefaultExport: vitest takes nothing else
export default mergeConfig(
  { ...usual, test },
  {
    test: {
      include: ['test/long/**/*.test.ts', 'test/federation/*.test.ts'],
      globalSetup: [globalSetup ?? [], './test/long/support/install-packages.ts'].flat(),
      isolate: true,
      env: { APOLLO_TELEMETRY_DISABLED: 'true' },
      testTimeout: 120_000,
      hookTimeout: 300_000,
      // Every refusal of Better Auth is an error in its log.
      onConsoleLog: (log: string) => (log.includes('[Better Auth]') ? false : undefined),
    },
  },
)
