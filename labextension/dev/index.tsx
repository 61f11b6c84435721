/** A page to look at the views without a server: `?run=N&compact&theme=dark`. */

import { render } from 'preact';

import { RunView } from '../src/views/run_view';
import { MemoryHost } from './memory_host';

const asked = new URLSearchParams(location.search);
const host = new MemoryHost();
const many = Number(asked.get('times') ?? 1);
const run = host.runs[Number(asked.get('run') ?? 0)]?.document.id ?? 'none';
const place = document.getElementById('place');
if (place) {
  const views = Array.from({ length: many }, (_, at) => (
    <RunView key={at} host={host} workspace="w" run={run} compact={asked.has('compact')} />
  ));
  render(<>{views}</>, place);
}
