/** A page to look at the views without a server: `?run=N&compact`, or `?live=50` for so many running runs. */

import { render } from 'preact';

import { RunView } from '../src/views/run_view';
import { MemoryHost } from './memory_host';
import { memoryRuns, type MemoryRun } from './memory_run';

const asked = new URLSearchParams(location.search);
const live = Array.from({ length: Number(asked.get('live') ?? 0) }, (_, at): MemoryRun => {
  const [run] = memoryRuns() as [MemoryRun];
  return { ...run, rate: 10, lines: 1000, document: { ...run.document, id: `live_${at}` } };
});
const host = new MemoryHost(live.length > 0 ? live : memoryRuns());
const shown = live.length > 0 ? host.runs : host.runs.slice(Number(asked.get('run') ?? 0)).slice(0, 1);
const place = document.getElementById('place');
if (place) {
  const views = shown.map(({ document: { id } }) => (
    <RunView key={id} host={host} workspace="w" run={id} compact={asked.has('compact') || live.length > 0} />
  ));
  render(<>{views}</>, place);
}
