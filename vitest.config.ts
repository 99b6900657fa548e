import { defineConfig } from 'vitest/config'

/** The ordinary suite: everything that needs nothing but Node and, for `test/browser`, Chromium. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/{features,suites,compat,browser}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
