// The pages that are no JupyterLab extension: the studio, and the widget for hosts without our server.
import { build } from 'esbuild';

const shared = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'eof',
  logLevel: 'warning'
};
await build({
  ...shared,
  entryPoints: { studio: 'src/studio/index.ts' },
  outdir: '../amlnb/server/static',
  loader: { '.svg': 'dataurl' }
});
