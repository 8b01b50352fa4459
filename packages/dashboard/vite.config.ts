import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The built files are served by the gate itself, from `/`, under a policy that allows no inline script or style. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [react()],
  resolve: { conditions: ['@tallygate/source', 'module', 'browser', 'development|production'] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URI in a style sheet would need img-src or font-src of its own; files do not.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // Forms check themselves with the contract's schemas; a first load needs no form, so the library stays apart.
        codeSplitting: { groups: [{ name: 'schemas', test: /node_modules[\\/]zod[\\/]/ }] },
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4100' } },
});
