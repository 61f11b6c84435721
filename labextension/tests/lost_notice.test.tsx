import './browser';
import './canvas';

import { cleanup, render, screen, waitFor } from '@testing-library/preact';
import type { ComponentChild } from 'preact';
import { afterEach, expect, it } from 'vitest';

import type { Host } from '../src/core/host';
import { sessionOf } from '../src/core/session';
import { WorkspacesModel } from '../src/core/workspaces_model';
import { Compare } from '../src/views/compare';
import { Experiments } from '../src/views/experiments';
import { RunTable } from '../src/views/run_table';
import { RunView } from '../src/views/run_view';
import { row, TableHost } from './table_host';

Element.prototype.scrollTo = () => undefined;
afterEach(cleanup);

const VIEWS: [string, (host: Host) => ComponentChild][] = [
  ['a run', host => <RunView host={host} workspace="w" run="run-1" />],
  ['a table', host => <RunTable host={host} workspace="w" />],
  ['a comparison', host => <Compare host={host} workspace="w" runs={['run-1', 'run-2']} />],
  [
    'the list of experiments',
    host => <Experiments host={host} workspaces={new WorkspacesModel(sessionOf(host).client)} />
  ]
];

it.each(VIEWS)('%s says that the connection broke, until it is made again', async (_, view) => {
  const host = new TableHost([row(1), row(2)]);
  const stop = sessionOf(host).stream.watch('w', {
    onBegin: () => undefined,
    onRuns: () => undefined,
    onGone: () => undefined
  });
  render(view(host));
  await waitFor(() => expect(host.sockets[0]?.sent.length).toBeGreaterThan(0));
  if (screen.queryByText(/Reading/) !== null) {
    await waitFor(() => expect(screen.queryByText(/Reading/)).toBeNull());
  }
  host.sockets[0]?.onclose?.(new CloseEvent('close'));
  expect(await screen.findByText(/^The connection broke/)).toBeTruthy();
  await waitFor(() => expect(screen.queryByText(/^The connection broke/)).toBeNull());
  stop();
});
