// The pages that are no JupyterLab extension: what the server serves by itself.
import { build } from 'esbuild';

await build({
  entryPoints: { studio: 'src/studio/index.tsx', 'studio-style': 'style/studio.css', index: 'src/studio/index.html' },
  outdir: '../amlnb/server/static',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.html': 'copy' },
  legalComments: 'eof',
  logLevel: 'warning'
});
