import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['./test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A machine that is busy makes a state come late, not never.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './scripts/closing-line-reporter.ts'],
  },
})
