import './browser';

import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';

import type { WorkspaceInfo } from '../src/core/contract';
import { sessionOf } from '../src/core/session';
import { titleIn, WorkspacesModel } from '../src/core/workspaces_model';
import { Experiments } from '../src/views/experiments';
import { row, TableHost } from './table_host';

afterEach(cleanup);

function info(key: string, current = false): WorkspaceInfo {
  return { key, name: 'notebooks', path: `/home/${key}/notebooks/.amlnb`, current };
}

function seen(...workspaces: WorkspaceInfo[]): { host: TableHost; model: WorkspacesModel } {
  const host = new TableHost([row(1)]);
  host.workspaces = workspaces;
  return { host, model: new WorkspacesModel(sessionOf(host).client) };
}

it("shows no other workspace's runs where the folder has none, and its own once there are some", async () => {
  const { host, model } = seen(info('other'));
  await model.look('fresh');
  expect(model.current.value).toBeNull();
  expect(model.found).toBe(false);
  host.workspaces = [info('mine', true), info('other')];
  await model.look('fresh');
  expect(model.current.value?.key).toBe('mine');
});

it('are asked for until the server tells, of the folder that is looked at last', async () => {
  vi.useFakeTimers();
  const { host, model } = seen(info('mine', true));
  const fetch = host.fetch.bind(host);
  host.fetch = () => Promise.reject(new TypeError('Failed to fetch'));
  await model.look('a');
  await model.look('b');
  expect(model.fault.value?.hint).toContain('tries again by itself');
  await vi.advanceTimersByTimeAsync(30_000);
  host.fetch = fetch;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([model.fault.value, model.current.value?.key, host.askedFor('folder=')]).toEqual([
    null,
    'mine',
    ['workspaces?folder=b']
  ]);
  vi.useRealTimers();
});

it("keeps a person's choice until the folder changes", async () => {
  const { host, model } = seen(info('mine', true), info('other'));
  await model.look('a');
  model.choose('other');
  await model.look('a');
  expect(model.current.value?.key).toBe('other');
  host.workspaces = [info('mine', true), info('other')];
  await model.look('b');
  expect(model.current.value?.key).toBe('mine');
});

it('follows the folder when it comes to have a workspace, whatever was chosen before', async () => {
  const { host, model } = seen(info('other'));
  await model.look('a');
  model.choose('other');
  host.workspaces = [info('mine', true), info('other')];
  await model.look('a');
  expect(model.current.value?.key).toBe('mine');
});

it('says that the folder has no runs, and offers the others', async () => {
  const { host, model } = seen(info('one'), info('two'));
  await model.look('fresh');
  const { container } = render(<Experiments host={host} workspaces={model} />);
  expect(container.textContent).toContain('No runs in this folder yet. Put %%submit on top of a cell and run it.');
  const select = screen.getByLabelText<HTMLSelectElement>('Workspace');
  expect([...select.options].map(each => each.text)).toEqual([
    'this folder',
    'notebooks (…/one/notebooks)',
    'notebooks (…/two/notebooks)'
  ]);
  fireEvent.change(select, { target: { value: 'two' } });
  expect(model.current.value?.key).toBe('two');
});

it('tells apart what has one name', () => {
  const all = [info('one'), info('two'), { key: 'x', name: 'alone', path: '/x/.amlnb', current: false }];
  expect(all.map(each => titleIn(all, each))).toEqual([
    'notebooks (…/one/notebooks)',
    'notebooks (…/two/notebooks)',
    'alone'
  ]);
});
