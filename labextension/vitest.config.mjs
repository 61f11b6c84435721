import { defineConfig } from 'vitest/config';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  test: { environment: 'jsdom', testTimeout: 30_000, include: ['tests/**/*.test.{ts,tsx}'] }
});
