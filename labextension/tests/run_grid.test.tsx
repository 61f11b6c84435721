import './browser';

import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it } from 'vitest';

import type { RunRow } from '../src/core/contract';
import { columnsOf } from '../src/views/run_columns';
import { RunGrid } from '../src/views/run_grid';
import { fill } from '../src/core/host';
import { row } from './table_host';

Element.prototype.scrollTo = () => undefined;
afterEach(cleanup);

const COLUMNS = columnsOf({ parameters: ['lr'], metrics: ['loss'], tags: [] }, text => text);

function grid(rows: (RunRow | undefined)[], onOpen: (run: RunRow) => void = () => undefined) {
  const ignored = (): void => undefined;
  return (
    <RunGrid
      total={rows.length}
      row={index => rows[index]}
      placeOf={id => {
        const place = rows.findIndex(each => each?.id === id);
        return place < 0 ? undefined : place;
      }}
      version={0}
      question=""
      columns={COLUMNS}
      best={{}}
      sort="created"
      descending
      chosen={[]}
      trans={(text, ...values) => fill(text, values)}
      need={ignored}
      onSort={ignored}
      onChoose={ignored}
      onOpen={onOpen}
    />
  );
}

it('tells nothing of the run before while the next one is being read, and uses its row again', () => {
  const { container, rerender } = render(grid([row(1), undefined]));
  const rows = container.querySelectorAll('.amlnb-grid-row');
  expect([...rows].map(each => each.getAttribute('aria-busy'))).toEqual([null, 'true']);

  rerender(grid([undefined, row(2)]));
  expect(container.querySelector('[data-amlnb-row="run-1"]')).toBeNull();
  expect(rows[0]?.getAttribute('aria-busy')).toBe('true');
  expect(rows[0]?.classList.contains('amlnb-mod-waits')).toBe(true);
  expect(container.querySelector('[data-amlnb-row="run-2"]')?.getAttribute('aria-busy')).toBeNull();

  const cells = rows[0]?.querySelectorAll('[role=gridcell]');
  rerender(grid([row(3), row(2)]));
  expect(rows[0]?.getAttribute('data-amlnb-row')).toBe('run-3');
  expect(rows[0]?.classList.contains('amlnb-mod-waits')).toBe(false);
  expect([...(rows[0]?.querySelectorAll('[role=gridcell]') ?? [])]).toEqual([...(cells ?? [])]);
  expect(rows[0]?.textContent).toContain('trial 3');
});

it('keeps to the run that keys have come to, wherever it moves', () => {
  const opened: string[] = [];
  const open = (run: RunRow): void => void opened.push(run.id);
  const { container, rerender } = render(grid([row(3), row(2), row(1)], open));
  const box = screen.getByRole('grid');
  fireEvent.keyDown(box, { key: 'ArrowDown' });
  rerender(grid([row(4), row(3), row(2), row(1)], open));
  fireEvent.keyDown(box, { key: 'Enter' });
  expect(opened).toEqual(['run-2']);
  expect(document.getElementById(box.getAttribute('aria-activedescendant') ?? '')?.dataset['amlnbRow']).toBe('run-2');
  expect(container.querySelectorAll('.amlnb-mod-active')).toHaveLength(1);
  rerender(grid([row(4), row(3), row(1)], open));
  fireEvent.keyDown(box, { key: 'Enter' });
  expect(opened).toHaveLength(2);
});
