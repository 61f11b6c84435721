import './browser';
import './canvas';

import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, describe, expect, it } from 'vitest';

import { Compare } from '../src/views/compare';
import { row, TableHost } from './table_host';

afterEach(cleanup);

async function shown(host: TableHost): Promise<HTMLElement> {
  const { container } = render(<Compare host={host} workspace="w" runs={host.rows.map(({ id }) => id)} />);
  await waitFor(() => expect(container.querySelector('[data-amlnb-compare]')).not.toBeNull());
  await waitFor(() => expect(host.sockets[0]?.sent.some(({ op }) => op === 'watch')).toBe(true));
  return container as HTMLElement;
}

function states(root: HTMLElement): (string | null)[] {
  return [...root.querySelectorAll('.amlnb-legend .amlnb-state')].map(mark => mark.getAttribute('aria-label'));
}

describe('a comparison', () => {
  it('tells what became of its runs while the connection was broken', async () => {
    const host = new TableHost([row(1, { state: 'Running' }), row(2)]);
    const root = await shown(host);
    host.sockets[0]?.tell([]);
    expect(states(root)).toEqual(['Running', 'Completed']);
    host.rows = [row(1, { state: 'Failed' }), row(2)];
    host.sockets[0]?.onclose?.(new CloseEvent('close'));
    await waitFor(() => expect(host.sockets[1]?.sent.length).toBeGreaterThan(0));
    host.sockets[1]?.tell([]);
    await waitFor(() => expect(states(root)).toEqual(['Failed', 'Completed']));
  });

  it('says that one of its runs was removed, and keeps what was read', async () => {
    const host = new TableHost([row(1), row(2)]);
    const root = await shown(host);
    const told = JSON.stringify({ message: 'no run "run-2"', hint: null });
    host.fetch = () => Promise.resolve(new Response(told, { status: 404 }));
    host.sockets[0]?.tell([], ['run-2']);
    expect(await screen.findByText('no run "run-2"')).toBeTruthy();
    expect(states(root)).toEqual(['Completed', 'Completed']);
  });

  it('shows no code of the pair before under the names of another', async () => {
    const host = new TableHost([row(1), row(2), row(3)]);
    await shown(host);
    fireEvent.click(screen.getByRole('tab', { name: 'Code' }));
    expect(await screen.findByText('against run-2')).toBeTruthy();
    host.fetch = () => new Promise(() => undefined);
    fireEvent.change(screen.getByLabelText('to'), { target: { value: 'run-3' } });
    await waitFor(() => expect(screen.queryByText('against run-2')).toBeNull());
  });
  it('has large charts, one below the other', async () => {
    const root = await shown(new TableHost([row(1), row(2)]));
    fireEvent.click(screen.getByLabelText('Large'));
    await waitFor(() => expect(root.querySelector('.amlnb-charts')?.className).toBe('amlnb-charts amlnb-charts-large'));
  });

  it('has means of runs along the time since their start, not along the time of day', async () => {
    await shown(new TableHost([row(1), row(2)]));
    fireEvent.click(screen.getByRole('radio', { name: 'Time' }));
    fireEvent.change(screen.getByLabelText('Group by'), {
      target: { value: screen.getByRole<HTMLOptionElement>('option', { name: 'lr' }).value }
    });
    await waitFor(() => expect(screen.queryByRole('radio', { name: 'Time' })).toBeNull());
    expect(screen.getByRole<HTMLInputElement>('radio', { name: 'Relative' }).checked).toBe(true);
  });
});
