// The pages that are no JupyterLab extension: what the server serves by itself, and what the widgets show.
import { build } from 'esbuild';

const shared = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.html': 'copy' },
  legalComments: 'eof',
  logLevel: 'warning'
};
await build({
  ...shared,
  entryPoints: { studio: 'src/studio/index.tsx', 'studio-style': 'style/studio.css', index: 'src/studio/index.html' },
  outdir: '../amlnb/server/static'
});
await build({ ...shared, entryPoints: ['src/widget/index.tsx'], outfile: '../amlnb/widget/static/widget.js' });
await build({ ...shared, entryPoints: ['style/widget.css'], outfile: '../amlnb/widget/static/widget.css' });
