import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes, where a test has them, share two cores with the rest.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
    sequence: { shuffle: false },
  },
});
