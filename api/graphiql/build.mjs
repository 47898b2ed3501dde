// Builds the page: one bundle, Monaco's workers beside it, fonts and styles as files of our own.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const files = here("../static/graphiql/");

await rm(files, { recursive: true, force: true });
await mkdir(files, { recursive: true });
await build({
  entryPoints: {
    main: here("main.jsx"),
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  },
  absWorkingDir: here("."),
  outdir: files,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file", ".woff": "file", ".woff2": "file" },
  legalComments: "linked",
  logLevel: "warning",
});
await copyFile(here("index.html"), `${files}index.html`);
