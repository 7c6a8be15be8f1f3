import { defineConfig } from "vite";

/** The page of `tldmi serve`: one document, one script, one style sheet in dist/web. */
export default defineConfig({
  root: "src/web",
  publicDir: false,
  // Vite's default cache would lie in node_modules, where tests of this package run beside it.
  cacheDir: "../../.cache/vite",
  build: {
    outDir: "../../dist/web",
    emptyOutDir: true,
    // A style sheet or a picture as a data URI would be refused by the page's own policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
  logLevel: "warn",
});
