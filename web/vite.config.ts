import { defineConfig } from 'vitest/config';
import { weight } from './weight.ts';

// The page's assets are named by their contents. All addresses are relative: the page works below any path of a proxy.
export default defineConfig({
  base: './',
  build: {
    outDir: '../internal/webui/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  plugins: [weight()],
  server: { proxy: { '/api': 'http://127.0.0.1:8889' } },
});
