import { defineConfig } from 'vitest/config'

/** The ordinary suite: everything that needs nothing but Node and, for `test/browser`, Chromium. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/{features,suites,compat,browser}/**/*.test.ts'],
    // a worker serves many files: loading the product for each of them took half of the time
    isolate: false,
    // vitest would leave one processor to somebody else
    maxWorkers: '100%',
    // ends a test that hangs; no test is about how long something takes
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
