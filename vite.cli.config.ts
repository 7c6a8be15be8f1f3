import { defineConfig } from "vite";

/** Small packages of plain JavaScript. Of what is in the program's files, the parts that nothing uses are left out. */
const INSIDE = [
  "@bufbuild/protobuf",
  "@commander-js/extra-typings",
  "commander",
  "facesjs",
  "onnx-buf",
  "picocolors",
  "pure-rand",
  "yaml",
  "zod",
];

/**
 * The command line in few files: hundreds of modules, each found and read by itself, take longer than a short command's work. Programs
 * that import the package get the compiler's modules; a process has either these or those, so that there is one of each.
 * Every file lies two folders below the package, as deep as the modules that name what ships with it by a path from where they are.
 */
export default defineConfig({
  publicDir: false,
  cacheDir: ".cache/vite-cli",
  build: {
    ssr: true,
    target: "node20.19",
    outDir: "dist",
    emptyOutDir: false,
    sourcemap: true,
    license: { fileName: "chunks/licenses.md" },
    rolldownOptions: {
      input: {
        "cli/main": "src/cli/main.ts",
        "chunks/studio-thread": "src/data/faces/studio-thread.ts",
        "chunks/step-process": "src/cluster/step-process.ts",
      },
      output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name].js", sourcemapExcludeSources: true },
    },
  },
  ssr: { noExternal: INSIDE },
  logLevel: "warn",
});
