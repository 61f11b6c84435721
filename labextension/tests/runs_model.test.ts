import { afterEach, expect, it, vi } from 'vitest';

import { RunsModel } from '../src/core/runs_model';
import { sessionOf } from '../src/core/session';
import { row, TableHost } from './table_host';

let stop = (): void => undefined;
afterEach(() => stop());

async function started(host: TableHost): Promise<RunsModel> {
  const model = new RunsModel(sessionOf(host), 'w');
  stop = model.start();
  await vi.waitFor(
    () => expect([model.total.value, host.sockets[0]?.sent.length]).toEqual([host.rows.length, 1]),
    10_000
  );
  return model;
}

/** Answers that the server has made stay on their way until the value is called. */
function held(host: TableHost): () => void {
  const fetch = host.fetch.bind(host);
  let go: () => void = () => undefined;
  const gone = new Promise<void>(resolve => {
    go = resolve;
  });
  host.fetch = async (path, init) => {
    const answer = await fetch(path, init);
    await gone;
    return answer;
  };
  return () => {
    host.fetch = fetch;
    go();
  };
}

it('keeps a row that is newer than an answer that comes late', async () => {
  const host = new TableHost([row(1, { state: 'Running' }), row(2, { state: 'Running' })]);
  const model = await started(host);
  const release = held(host);
  model.reload();
  host.sockets[0]?.tell([row(1, { state: 'Completed' })]);
  const { version } = model;
  const before = version.value;
  release();
  await vi.waitFor(() => expect(version.value).toBeGreaterThan(before), 10_000);
  expect([0, 1].map(at => model.row(at)?.state)).toEqual(['Completed', 'Running']);
});

it('reads anew when a run is removed that an answer on its way still holds', async () => {
  const host = new TableHost([row(1)]);
  const model = await started(host);
  host.sockets[0]?.tell([]);
  host.rows = [row(1), row(2)];
  const release = held(host);
  model.reload();
  host.rows = [row(1)];
  host.sockets[0]?.tell([], ['run-2']);
  release();
  await vi.waitFor(() => expect(model.total.value).toBe(2), 10_000);
  await vi.waitFor(() => expect(model.total.value).toBe(1), 10_000);
});

it('asks again by itself while the server cannot be reached', async () => {
  const host = new TableHost([row(1)]);
  const model = await started(host);
  vi.useFakeTimers();
  const fetch = host.fetch.bind(host);
  host.fetch = () => Promise.resolve(new Response('', { status: 503 }));
  model.reload();
  await vi.advanceTimersByTimeAsync(12_000);
  expect([model.fault.value?.message, model.total.value]).toEqual(['the server answered 503', 1]);
  host.fetch = fetch;
  host.rows = [row(1), row(2)];
  await vi.advanceTimersByTimeAsync(12_000);
  expect([model.fault.value, model.total.value]).toEqual([null, 2]);
  vi.useRealTimers();
});
