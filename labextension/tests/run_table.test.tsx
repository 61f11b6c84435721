import './browser';

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/preact';
import { afterEach, expect, it } from 'vitest';

import { Compare } from '../src/views/compare';
import { Experiments } from '../src/views/experiments';
import { RunTable } from '../src/views/run_table';
import { sessionOf } from '../src/core/session';
import { WorkspacesModel } from '../src/core/workspaces_model';
import { row, TableHost } from './table_host';

const HOSTILE = '<img src=x onerror=alert(1)>';

Element.prototype.scrollTo = () => undefined;
afterEach(cleanup);

async function shown(
  rows = [1, 2, 3, 4, 5].map(number => row(number))
): Promise<{ host: TableHost; root: HTMLElement }> {
  const host = new TableHost(rows);
  const { container } = render(<RunTable host={host} workspace="w" />);
  await waitFor(() => expect(container.querySelectorAll('[data-amlnb-row]')).toHaveLength(rows.length));
  return { host, root: container as HTMLElement };
}

function box(root: HTMLElement, number: number): HTMLInputElement {
  return root.querySelector(`[data-amlnb-row="run-${number}"] input`) as HTMLInputElement;
}

it('marks the best and says how many there are', async () => {
  const { root } = await shown();
  expect(root.querySelector('[data-amlnb-run-table]')).not.toBeNull();
  expect(root.querySelector('.amlnb-best')?.closest('[data-amlnb-row]')?.getAttribute('data-amlnb-row')).toBe('run-1');
  expect(root.querySelector('.amlnb-table-foot')?.textContent).toContain('5 runs');
  await waitFor(() => expect(root.querySelector('.amlnb-table-foot')?.textContent).toBe('5 runs Workspace project'));
});

it('sorts by a click on a title, and the other way by the next one', async () => {
  const { host, root } = await shown();
  const title = within(root).getByRole('button', { name: 'loss' });
  fireEvent.click(title);
  await waitFor(() => expect(host.askedFor('sort=metrics.loss&descending=true')).toHaveLength(1));
  fireEvent.click(title);
  await waitFor(() => expect(host.askedFor('sort=metrics.loss&descending=false')).toHaveLength(1));
  expect(title.closest('[role=columnheader]')?.getAttribute('aria-sort')).toBe('ascending');
});

it.each([
  ['lr < 0.1', 'query=lr+%3C+0.1'],
  ['state in ["Failed"]', 'query=state'],
  ['bert large', 'search=bert+large']
])('asks for %s', async (text, wanted) => {
  const { host } = await shown();
  const input = screen.getByLabelText('Filter the runs');
  fireEvent.input(input, { target: { value: text } });
  fireEvent.keyDown(input, { key: 'Enter' });
  await waitFor(() => expect(host.askedFor(wanted).length).toBeGreaterThan(0));
});

it('says what is wrong with a query, and keeps what is shown', async () => {
  const { host, root } = await shown();
  host.fault = { message: "the query 'lr <' is not understood", hint: 'such as: lr < 0.01' };
  const input = screen.getByLabelText('Filter the runs');
  fireEvent.input(input, { target: { value: 'lr <' } });
  fireEvent.keyDown(input, { key: 'Enter' });
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('not understood'));
  expect(input.getAttribute('aria-invalid')).toBe('true');
  expect(root.querySelectorAll('[data-amlnb-row]')).toHaveLength(5);
});

it('does not wait for rows when the first query is wrong', async () => {
  const host = new TableHost([row(1)]);
  host.fault = { message: "the query 'lr <' is not understood", hint: null };
  const { container } = render(<RunTable host={host} workspace="w" query="lr < " />);
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('not understood'));
  expect(container.querySelector('.amlnb-table-foot')?.textContent).not.toContain('Reading');
});

it('keeps what is being typed while runs change', async () => {
  const { host, root } = await shown();
  const input = screen.getByLabelText<HTMLInputElement>('Filter the runs');
  fireEvent.input(input, { target: { value: 'lr < 0.' } });
  host.sockets[0]?.tell([row(2, { state: 'Failed' })]);
  await waitFor(() => expect(root.querySelector('[data-amlnb-row="run-2"] [title=Failed]')).not.toBeNull());
  expect(input.value).toBe('lr < 0.');
  await waitFor(() => expect(host.askedFor('query=lr+%3C+0.').length).toBeGreaterThan(0));
});

it('chooses a range whose rows are not all here', async () => {
  const host = new TableHost(Array.from({ length: 450 }, (_, index) => row(index)));
  const chosen: (readonly string[])[] = [];
  const { container } = render(<RunTable host={host} workspace="w" onChosen={ids => chosen.push(ids)} />);
  await waitFor(() => expect(container.querySelector('[data-amlnb-row="run-0"]')).not.toBeNull());
  fireEvent.click(box(container as HTMLElement, 0));
  const grid = screen.getByRole('grid');
  grid.focus();
  fireEvent.keyDown(grid, { key: 'End' });
  grid.scrollTop = 449 * 30;
  fireEvent.scroll(grid);
  await waitFor(() => expect(container.querySelector('[data-amlnb-row="run-449"]')).not.toBeNull());
  fireEvent.click(box(container as HTMLElement, 449), { shiftKey: true });
  await waitFor(() => expect(chosen.at(-1)).toHaveLength(450));
});

it('does not remember for other tables the query that one was opened with', async () => {
  const host = new TableHost([row(1)]);
  host.memory.set('table:w:', { query: 'lr < 1' });
  const { container } = render(<RunTable host={host} workspace="w" query='experiment == "sweep"' />);
  await waitFor(() => expect(container.querySelectorAll('[data-amlnb-row]')).toHaveLength(1));
  fireEvent.click(screen.getByLabelText('Archived'));
  expect(host.memory.get('table:w:')).toMatchObject({ query: 'lr < 1', archived: true });
});

it('chooses a range with shift, and opens the comparison', async () => {
  const { host, root } = await shown();
  fireEvent.click(box(root, 2));
  fireEvent.click(box(root, 4), { shiftKey: true });
  await screen.findByText('3 chosen');
  fireEvent.click(screen.getByRole('button', { name: 'Compare' }));
  expect(host.opened).toEqual([{ view: 'compare', workspace: 'w', runs: ['run-2', 'run-3', 'run-4'] }]);
});

it('is used by keyboard alone', async () => {
  const { host } = await shown();
  const grid = screen.getByRole('grid');
  grid.focus();
  fireEvent.keyDown(grid, { key: 'ArrowDown' });
  fireEvent.keyDown(grid, { key: ' ' });
  expect(screen.getByText('1 chosen')).not.toBeNull();
  const active = grid.getAttribute('aria-activedescendant') ?? '';
  expect(document.getElementById(active)?.dataset['amlnbRow']).toBe('run-2');
  fireEvent.keyDown(grid, { key: 'Enter' });
  expect(host.opened).toEqual([{ view: 'run', workspace: 'w', run: 'run-2' }]);
});

it('deletes after a question only', async () => {
  const { host, root } = await shown();
  host.agrees = false;
  fireEvent.click(box(root, 1));
  fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await Promise.resolve();
  expect(host.asked.some(each => each.method === 'DELETE')).toBe(false);
  host.agrees = true;
  fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(host.asked.filter(each => each.method === 'DELETE')).toHaveLength(1));
});

it('offers nothing to do where the server only reads', async () => {
  const host = new TableHost([row(1)]);
  host.acts = false;
  const { container } = render(<RunTable host={host} workspace="w" />);
  await waitFor(() => expect(container.querySelectorAll('[data-amlnb-row]')).toHaveLength(1));
  fireEvent.click(box(container as HTMLElement, 1));
  expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
});

it('follows what changes, and reads anew what is new', async () => {
  const { host, root } = await shown();
  const [socket] = host.sockets;
  await waitFor(() => expect(socket?.sent).toHaveLength(1));
  socket?.tell([], [], 1);
  socket?.tell([row(3, { name: 'renamed', state: 'Running', ended: null })], [], 1);
  await waitFor(() => expect(root.textContent).toContain('renamed'));
  expect(root.textContent).toContain('1 going');
  host.rows = [row(6), ...host.rows];
  socket?.tell([row(6)], [], 1);
  await waitFor(() => expect(root.querySelector('[data-amlnb-row="run-6"]')).not.toBeNull());
});

it('remembers columns, order and query', async () => {
  const { host } = await shown();
  fireEvent.click(screen.getByText('Columns'));
  fireEvent.click(screen.getByRole('checkbox', { name: /^loss/ }));
  fireEvent.click(screen.getByRole('button', { name: 'lr' }));
  cleanup();
  render(<RunTable host={host} workspace="w" />);
  await waitFor(() => expect(screen.getByRole('button', { name: 'lr' })).not.toBeNull());
  expect(screen.queryByRole('button', { name: 'loss' })).toBeNull();
  expect(screen.getByRole('columnheader', { name: 'lr' }).getAttribute('aria-sort')).toBe('descending');
});

it('groups by a column', async () => {
  const { host, root } = await shown();
  const select = screen.getByRole('combobox');
  await waitFor(() => expect(within(select).getByText('lr')).not.toBeNull());
  fireEvent.change(select, { target: { value: 'parameters.lr' } });
  await waitFor(() => expect(root.textContent).toContain('0.1000 … 0.2000'));
  fireEvent.click(screen.getByRole('button', { name: '1' }));
  expect(host.opened).toEqual([{ view: 'runs', workspace: 'w', query: 'parent == null and parameters["lr"] == "1"' }]);
});

it('shows what runs are called as text', async () => {
  const { root } = await shown([row(1, { name: HOSTILE, parameters: { lr: HOSTILE }, error: HOSTILE })]);
  expect(root.textContent).toContain(HOSTILE);
  expect(root.querySelector('img')).toBeNull();
});

it('compares what differs, and leaves runs out', async () => {
  const host = new TableHost([row(1), row(2), row(3)]);
  const { container } = render(<Compare host={host} workspace="w" runs={['run-1', 'run-2', 'run-3']} />);
  await waitFor(() => expect(container.querySelector('[data-amlnb-compare="3"]')).not.toBeNull());
  fireEvent.click(screen.getByRole('tab', { name: 'Differences' }));
  expect(container.querySelector('.amlnb-values')?.textContent).toContain('lr');
  fireEvent.click(screen.getByRole('button', { name: 'Leave #2 out' }));
  await waitFor(() => expect(container.querySelector('[data-amlnb-compare="2"]')).not.toBeNull());
  for (const tab of ['Parallel', 'Scatter']) {
    fireEvent.click(screen.getByRole('tab', { name: tab }));
    expect(container.querySelector('svg.amlnb-plot')).not.toBeNull();
  }
  const [point] = container.querySelectorAll('.amlnb-plot-point');
  fireEvent.keyDown(point as Element, { key: 'Enter' });
  expect(host.opened).toEqual([{ view: 'run', workspace: 'w', run: 'run-1' }]);
});

it('compares the code of any two runs', async () => {
  const host = new TableHost([row(1), row(2), row(3)]);
  const { container } = render(<Compare host={host} workspace="w" runs={['run-1', 'run-2', 'run-3']} />);
  await waitFor(() => expect(container.querySelector('[data-amlnb-compare="3"]')).not.toBeNull());
  fireEvent.click(screen.getByRole('tab', { name: 'Code' }));
  await waitFor(() => expect(container.textContent).toContain('against run-2'));
  fireEvent.change(screen.getByLabelText('to'), { target: { value: 'run-3' } });
  await waitFor(() => expect(container.textContent).toContain('against run-3'));
});

it('says which runs have no line, and which axes are logarithmic', async () => {
  const rates = { lr: '0.001', rate: '1' };
  const rows = [row(1, { parameters: rates }), row(2, { parameters: { lr: '1', rate: '2' } })];
  const host = new TableHost([...rows, row(3, { parameters: {}, metrics: {} })]);
  const { container } = render(<Compare host={host} workspace="w" runs={['run-1', 'run-2', 'run-3']} />);
  await waitFor(() => expect(container.querySelector('[data-amlnb-compare="3"]')).not.toBeNull());
  fireEvent.click(screen.getByRole('tab', { name: 'Parallel' }));
  expect(screen.getByText('1 run is not drawn, it lacks values: #3')).not.toBeNull();
  expect(screen.getAllByText('log')).toHaveLength(1);
});

it('offers to cancel only where something goes on', async () => {
  const { root } = await shown([row(1, { state: 'Running', ended: null }), row(2)]);
  const disabled = (): boolean => screen.getByRole<HTMLButtonElement>('button', { name: 'Cancel runs' }).disabled;
  fireEvent.click(box(root, 2));
  expect(disabled()).toBe(true);
  fireEvent.click(box(root, 1));
  expect(disabled()).toBe(false);
});

it('marks all that share the best value, but for failed runs', async () => {
  const metrics = { loss: { count: 1, last: 0.1, min: 0.1, max: 0.1 } };
  const { root } = await shown([row(1), row(2, { metrics }), row(3), row(4, { metrics, state: 'Failed' })]);
  expect(root.querySelectorAll('.amlnb-best')).toHaveLength(2);
});

it('lists experiments with their newest runs', async () => {
  const host = new TableHost([row(1, { state: 'Running', ended: null }), row(2)]);
  const workspaces = new WorkspacesModel(sessionOf(host).client);
  const info = { key: 'w', name: 'project', path: '/p', current: true };
  workspaces.all.value = [info];
  workspaces.current.value = info;
  const { container } = render(<Experiments host={host} workspaces={workspaces} />);
  await waitFor(() => expect(container.querySelectorAll('.amlnb-run-line')).toHaveLength(2));
  expect(container.textContent).toContain('1 going');
  fireEvent.click(screen.getByText(/trial 2/));
  expect(host.opened).toEqual([{ view: 'run', workspace: 'w', run: 'run-2' }]);
});
