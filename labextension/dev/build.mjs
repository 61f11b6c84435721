// Build the page for looking into the folder that is given: `node dev/build.mjs FOLDER`, then open its index.html.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const folder = process.argv[2];
await build({
  entryPoints: ['dev/index.tsx', 'style/studio.css'],
  bundle: true,
  outdir: folder,
  outbase: '.',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact'
});
const page = `<!doctype html><meta charset="utf-8"><title>views</title><link rel="stylesheet" href="style/studio.css">
<body style="margin:0;background:var(--jp-layout-color0)"><main id="place"></main><script src="dev/index.js"></script>`;
writeFileSync(`${folder}/index.html`, page);
