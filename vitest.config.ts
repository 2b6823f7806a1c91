import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'services/*/test/**/*.test.ts',
      'tests/**/*.test.ts',
      'infra/test/**/*.test.ts',
    ],
    // A test that hangs ends here; what it waits for has a bound of its own, `patience` of the test harness.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
