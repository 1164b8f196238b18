import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Node gives every package the same build of graphql; left alone, vite would give the sources under test another.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Also not what the packages of single folders bring along, once the long tests or the bench have installed them.
    exclude: ['**/node_modules/**', 'test/long/**', 'test/federation/**'],
    globalSetup: './test/support/global-setup.ts',
    setupFiles: './test/support/patience.ts',
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
    // A worker loads Better Auth, Prisma and the sources once, for all its files; so a file puts back whatever it
    // changes in the process.
    isolate: false,
  },
})
