import { defineConfig } from 'vitest/config'

/** Suites against the real programs Gatehouse replaces or works with; each skips with a clear line where its peer is missing. */
export default defineConfig({
  test: { include: ['test/interop/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false },
})
