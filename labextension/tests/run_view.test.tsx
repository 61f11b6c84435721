import './browser';

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/preact';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { MemoryHost } from '../dev/memory_host';
import { memoryDocument, memoryRuns, type MemoryRun } from '../dev/memory_run';
import { RunView } from '../src/views/run_view';

const HOSTILE = '<img src=x onerror=alert(1)>';

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function still(
  changes: Parameters<typeof memoryDocument>[2] = {},
  state: 'Running' | 'Completed' = 'Running'
): MemoryRun {
  const [live] = memoryRuns();
  const document = memoryDocument('a', state, changes);
  return { ...(live as MemoryRun), document, rate: 0, points: 30, lines: 200 };
}

async function shown(
  runs: MemoryRun[],
  run: string,
  compact = false
): Promise<{ host: MemoryHost; root: HTMLElement }> {
  const host = new MemoryHost(runs);
  const { container } = render(<RunView host={host} workspace="w" run={run} compact={compact} />);
  await waitFor(() => expect(container.querySelector('header')).not.toBeNull());
  return { host, root: container.querySelector('[data-amlnb-run]') as HTMLElement };
}

describe('a running run', () => {
  it('tells its state, target and progress, and its points by hooks for tests', async () => {
    const progress = { done: 30, total: 120, text: 'epoch 3', left_s: 75 };
    const { root } = await shown([still({ progress })], 'a');
    expect([root.dataset['amlnbRun'], root.dataset['amlnbState']]).toEqual(['a', 'Running']);
    await waitFor(() => expect(root.querySelector('[data-amlnb-metric="accuracy"]')).not.toBeNull());
    await waitFor(() => {
      expect(root.querySelector<HTMLElement>('[data-amlnb-metric="accuracy"]')?.dataset['amlnbPoints']).toBe('30');
      expect(root.querySelector<HTMLElement>('[data-amlnb-metric="loss"]')?.dataset['amlnbPoints']).toBe('30');
      expect(root.querySelector<HTMLElement>('[data-amlnb-metric="val_loss"]')?.dataset['amlnbPoints']).toBe('30');
    });
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25');
    expect(root.textContent).toContain('30/120 · 1 min 15 s left · epoch 3');
  });

  it('has gone on since the server told of it', async () => {
    const { root } = await shown([still({ started: Date.now() / 1000 - 105, elapsed_s: 10 })], 'a');
    expect(root.textContent).toMatch(/1 min 4\d s/);
  });

  it('is canceled by a button', async () => {
    const { host, root } = await shown([still()], 'a');
    fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(root.dataset['amlnbState']).toBe('CancelRequested'));
    expect(host.asked).toContain('POST w/w/runs/a/cancel');
  });

  it('says so when the connection is lost', async () => {
    const { host } = await shown([still()], 'a');
    host.sockets[0]?.close();
    expect(await screen.findByText(/connection broke/)).toBeTruthy();
  });

  it('is given another name', async () => {
    const { host } = await shown([still()], 'a');
    fireEvent.click(screen.getByRole('button', { name: 'More' }));
    fireEvent.click(screen.getByRole('menuitem', { name: 'Rename' }));
    const input = screen.getByLabelText('Name of the run');
    fireEvent.input(input, { target: { value: 'brave_owl' } });
    fireEvent.submit(input.closest('form') as HTMLFormElement);
    expect(await screen.findByRole('heading', { name: /brave_owl/ })).toBeTruthy();
    expect(host.runs[0]?.document.name).toBe('brave_owl');
  });

  it('gives its id', async () => {
    const { host } = await shown([still()], 'a');
    const copy = screen.getByRole('button', { name: 'Copy the id a' });
    fireEvent.click(copy);
    await waitFor(() => expect([host.copied, host.notices]).toEqual([['a'], ['Copied a']]));
    host.copies = false;
    fireEvent.click(copy);
    await waitFor(() => expect(host.notices.at(-1)).toMatch(/^error: The browser does not let this page copy/));
  });

  it('tells why an action failed, and what to do, until it is read', async () => {
    const { host } = await shown([still()], 'a');
    const told = { message: 'the target does not answer', hint: 'see that it is on' };
    host.fetch = () => Promise.resolve(new Response(JSON.stringify(told), { status: 502 }));
    fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(host.notices).toEqual(['error: the target does not answer\nsee that it is on']));
  });
});

it('a run is deleted from its menu, once it has been asked', async () => {
  const { host } = await shown([still({}, 'Completed')], 'a');
  const button = screen.getByRole('button', { name: 'More' });
  fireEvent.click(button);
  const items = screen.getAllByRole('menuitem');
  expect(document.activeElement).toBe(items[0]);
  fireEvent.keyDown(items[0] as HTMLElement, { key: 'ArrowUp' });
  expect(document.activeElement?.textContent).toBe('Delete …');
  fireEvent.keyDown(document.activeElement as HTMLElement, { key: 'Escape' });
  expect([screen.queryByRole('menu'), document.activeElement]).toEqual([null, button]);
  fireEvent.click(button);
  fireEvent.click(screen.getByRole('menuitem', { name: 'Delete …' }));
  await waitFor(() => expect(host.asked).toContain('DELETE w/w/runs/a'));
  expect(await screen.findByText(/You deleted this run/)).toBeTruthy();
  expect(['Resubmit', 'More'].map(name => screen.queryByRole('button', { name }))).toEqual([null, null]);
});

it('a state is not told twice, a log that is at its end not followed', async () => {
  const { root } = await shown([still({ state: 'Canceled', reason: 'canceled' }, 'Completed')], 'a');
  expect(root.querySelector('header .amlnb-reason')).toBeNull();
  fireEvent.click(screen.getByRole('tab', { name: 'Log' }));
  expect(await screen.findByText(/step 199/)).toBeTruthy();
  expect(screen.queryByLabelText('Follow')).toBeNull();
});

it('a run in the archive says so', async () => {
  const { root } = await shown([still({ archived: true }, 'Completed')], 'a');
  expect(root.querySelector('header')?.textContent).toContain('archived');
});

it('the output of a cell has no box for a log before its first line', async () => {
  const { root } = await shown([{ ...still(), lines: 0 }], 'a', true);
  await waitFor(() => expect(root.querySelector('[data-amlnb-points="30"]')).not.toBeNull());
  expect(screen.queryByLabelText('End of the log')).toBeNull();
  cleanup();
  await shown([still()], 'a', true);
  expect(await screen.findByLabelText('End of the log')).toBeTruthy();
});

it('a run that logged nothing opens on its log; one that printed nothing says so', async () => {
  const bare = { ...still({}, 'Completed'), metrics: [], points: 0 };
  await shown([bare], 'a');
  expect(await screen.findByRole('tab', { name: 'Log', selected: true })).toBeTruthy();
  cleanup();
  await shown([{ ...bare, lines: 0 }], 'a');
  fireEvent.click(screen.getByRole('tab', { name: 'Log' }));
  expect(await screen.findByText('This run printed nothing.')).toBeTruthy();
});

describe('the parts of a run', () => {
  it('are tabs that arrow keys lead through', async () => {
    const { host } = await shown([still({}, 'Completed')], 'a');
    fireEvent.keyDown(screen.getByRole('tab', { name: 'Metrics' }), { key: 'ArrowRight' });
    expect(document.activeElement).toBe(screen.getByRole('tab', { name: 'Log', selected: true }));
    expect(await screen.findByText(/step 199/)).toBeTruthy();
    fireEvent.keyDown(screen.getByRole('tab', { name: 'Log' }), { key: 'End' });
    expect(screen.getByRole('tab', { name: 'System' }).getAttribute('aria-selected')).toBe('true');
    expect(host.remember('run-tab').get()).toEqual({ run: 'a', tab: 'system' });
  });

  it('show files with a preview, one that can be seen first', async () => {
    await shown([still({}, 'Completed')], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'Files' }));
    expect(await screen.findByRole('button', { name: /predictions.csv/, current: true })).toBeTruthy();
    fireEvent.click(await screen.findByRole('button', { name: /predictions.csv/ }));
    const preview = await screen.findByRole('region', { name: 'outputs/predictions.csv' });
    expect(await within(preview).findByText('the first 30 of 12,000 rows')).toBeTruthy();
    expect(within(preview).getByRole('link', { name: 'Download' }).getAttribute('href')).toBe(
      'memory:/w/w/runs/a/download?name=outputs%2Fpredictions.csv'
    );
  });

  it('show a file anew when it has been written since', async () => {
    const { host } = await shown([still()], 'a');
    const fetch = host.fetch.bind(host);
    const rows = [['1']];
    host.fetch = (path, init) => {
      const written = [{ name: 'outputs/rows.csv', bytes: rows.length, modified: 1 }];
      const table = { kind: 'table', columns: ['n'], rows, truncated: false, note: null };
      const told = path.includes('/preview')
        ? table
        : path.endsWith('/files')
          ? { files: written, warnings: [] }
          : null;
      return told ? Promise.resolve(new Response(JSON.stringify(told))) : fetch(path, init);
    };
    fireEvent.click(screen.getByRole('tab', { name: 'Files' }));
    expect(await screen.findByRole('cell', { name: '1' })).toBeTruthy();
    rows.push(['2']);
    host.sockets[0]?.tell({ t: 'run', sub: 1, run: memoryDocument('a', 'Completed') });
    expect(await screen.findByRole('cell', { name: '2' })).toBeTruthy();
  });

  it('chart what was sampled of the machine, up to the end of the run', async () => {
    const run = still();
    const { host, root } = await shown([run], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'System' }));
    const points = (): string[] =>
      [...root.querySelectorAll<HTMLElement>('[role=tabpanel] figure')].map(
        chart => chart.dataset['amlnbPoints'] ?? ''
      );
    await waitFor(() => expect(points()).toEqual(['30', '30']));
    run.points = 40;
    host.sockets[0]?.tell({ t: 'run', sub: 1, run: memoryDocument('a', 'Completed') });
    await waitFor(() => expect(points()).toEqual(['40', '40']));
  });

  it('show how the code differs', async () => {
    await shown([still({}, 'Completed')], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'Code' }));
    expect(await screen.findByText(/import torch/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Show'), { target: { value: 'present' } });
    expect((await screen.findByText(/^\+for step in range\(9000\)/)).tagName).toBe('INS');
  });

  it('take a new tag', async () => {
    const { host, root } = await shown([still()], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'Details' }));
    const input = screen.getByLabelText('New tag');
    fireEvent.input(input, { target: { value: 'note = a=b' } });
    fireEvent.submit(input.closest('form') as HTMLFormElement);
    await waitFor(() => expect(host.runs[0]?.document.tags['note']).toBe('a=b'));
    await waitFor(() => expect(root.querySelector('.amlnb-chips')?.textContent).toContain('note a=b'));
    fireEvent.click(screen.getByRole('button', { name: 'Take the tag note away' }));
    await waitFor(() => expect(root.querySelector('.amlnb-chips')?.textContent).not.toContain('note'));
    fireEvent.input(input, { target: { value: '=x' } });
    fireEvent.submit(input.closest('form') as HTMLFormElement);
    expect((await screen.findByRole('alert')).textContent).toContain('"=x" has no name');
  });

  it('show the table behind a chart', async () => {
    const { root } = await shown([still()], 'a');
    const chart = await waitFor(() => {
      const found = root.querySelector<HTMLElement>('[data-amlnb-metric="accuracy"]');
      expect(found?.dataset['amlnbPoints']).toBe('30');
      return found as HTMLElement;
    });
    fireEvent.click(within(chart).getByRole('button', { name: 'As a table' }));
    const table = await within(chart).findByRole('table', { name: 'accuracy' });
    expect(within(table).getAllByRole('row')).toHaveLength(31);
    expect(within(table).getByText('first, lowest')).toBeTruthy();
  });

  it('are searched: the log goes to the line that was found, and round its end', async () => {
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(300);
    const { root } = await shown([still()], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'Log' }));
    const input = await screen.findByLabelText('Search the log');
    fireEvent.input(input, { target: { value: 'STEP 17 ' } });
    fireEvent.keyDown(input, { key: 'Enter' });
    await waitFor(() => expect(root.querySelector('.amlnb-log-found')?.textContent).toContain('step 17 '));
    fireEvent.keyDown(input, { key: 'Enter' });
    expect(await screen.findByText('from the top')).toBeTruthy();
    expect(root.querySelector('.amlnb-log-found')?.textContent).toContain('step 17 ');
    fireEvent.input(input, { target: { value: 'nowhere' } });
    expect(root.querySelector('.amlnb-log-found')).toBeNull();
    fireEvent.keyDown(input, { key: 'Enter' });
    expect(await screen.findByText('not found')).toBeTruthy();
  });

  it('are searched no longer when another text is typed', async () => {
    const { root, host } = await shown([still()], 'a');
    fireEvent.click(screen.getByRole('tab', { name: 'Log' }));
    const input = await screen.findByLabelText('Search the log');
    const fetch = host.fetch.bind(host);
    const held: (() => void)[] = [];
    host.fetch = async (path, init) => {
      const answer = await fetch(path, init);
      await new Promise<void>(resolve => held.push(resolve));
      return answer;
    };
    fireEvent.input(input, { target: { value: 'step 17 ' } });
    fireEvent.keyDown(input, { key: 'Enter' });
    await waitFor(() => expect(held).toHaveLength(1));
    expect(screen.getByText('searching …')).toBeTruthy();
    fireEvent.input(input, { target: { value: 'step 18' } });
    held.forEach(release => release());
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(root.querySelector('.amlnb-log-found')).toBeNull();
    expect(screen.queryByText('searching …')).toBeNull();
  });
});

describe('a run of many metrics', () => {
  it('has its charts filtered by name', async () => {
    const { root } = await shown(memoryRuns(), 'digits_1700000005_many');
    const filter = await screen.findByPlaceholderText('Filter 60 charts');
    fireEvent.input(filter, { target: { value: 'LAYER5' } });
    await waitFor(() => expect(root.querySelectorAll('figure')).toHaveLength(11));
    fireEvent.input(filter, { target: { value: 'nothing' } });
    expect(await screen.findByText('No chart has such a name.')).toBeTruthy();
  });

  it('shows the first ones below a cell, and where the others are', async () => {
    const { host, root } = await shown(memoryRuns(), 'digits_1700000005_many', true);
    fireEvent.click(await screen.findByRole('button', { name: '54 more charts' }));
    expect([root.querySelectorAll('figure').length, host.opened.length]).toEqual([6, 1]);
  });
});

describe('a failed run', () => {
  it.each([true, false])('shows why first (compact: %s)', async compact => {
    const runs = memoryRuns();
    const { root } = await shown(runs, 'digits_1700000001_failed', compact);
    const failure = screen.getByRole('region', { name: 'Why it failed' });
    expect(failure.textContent).toMatch(/ValueError.*hint:.*compare the shapes.*train\.py:41/);
    expect(within(failure).getByText('shape (63,), int64, 0 to 9')).toBeTruthy();
    expect(within(failure).queryByText('Traceback') === null).toBe(compact);
    const order = failure.compareDocumentPosition(root.querySelector('.amlnb-charts, [role=tablist]') as Node);
    expect(order & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
  });
});

describe("a run as a cell's output", () => {
  it('has its charts, the end of its log, and opens as a whole', async () => {
    const { host, root } = await shown([still()], 'a', true);
    await waitFor(() => expect(root.querySelectorAll('figure[data-amlnb-metric]')).toHaveLength(5));
    await waitFor(() => expect(root.querySelectorAll('.amlnb-log-line')).toHaveLength(5));
    fireEvent.click(screen.getByRole('button', { name: 'Open the run' }));
    expect(host.opened).toEqual([{ view: 'run', workspace: 'w', run: 'a' }]);
    expect(screen.queryByRole('tab')).toBeNull();
  });

  it('is short while it waits', async () => {
    const { root } = await shown(memoryRuns(), 'digits_1700000003_queued', true);
    expect(root.textContent).toContain('waits for 2 runs before it on gpu-box');
    expect(root.querySelector('.amlnb-log-tail, .amlnb-charts')).toBeNull();
  });
});

it('a run that is not there says so', async () => {
  render(<RunView host={new MemoryHost([])} workspace="w" run="none" />);
  expect((await screen.findByRole('alert')).textContent).toContain('no run "none"');
});

it.each(['Metrics', 'Log', 'Files', 'Code', 'Details', 'System'])(
  'names that are markup stay text in %s',
  async tab => {
    const { root } = await shown(memoryRuns(), 'digits_1700000004_hostile');
    fireEvent.click(screen.getByRole('tab', { name: tab }));
    await waitFor(() => expect(root.querySelector('[role=tabpanel]')?.textContent).not.toBe(''));
    if (tab !== 'Files' && tab !== 'Code' && tab !== 'System') {
      await waitFor(() => expect(root.querySelector('[role=tabpanel]')?.textContent).toContain(HOSTILE));
    }
    expect(root.querySelector('img, script, [onerror]')).toBeNull();
    expect(root.textContent).toContain(HOSTILE);
  }
);
