/** The rows of the table of runs: only those in view are in the page, however many there are. */

import { Component } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { RunRow, Runs } from '../core/contract';
import { curveStyle } from '../core/colours';
import { serverNow } from '../core/server_clock';
import { useNow } from './clock';
import { isBest, nameOf, type Column } from './run_columns';
import { StateMark } from './state_mark';
import type { Trans } from './trans';

export const ROW_HEIGHT = 30;
const OVERSCAN = 4;
const UNKNOWN_HEIGHT = 600;
/** Columns are in the page by steps of so many pixels: one step more than is seen at the left, up to one at the right. */
const ASIDE = 200;
/** Rows of the page are used again, in steps of so many: made anew while a person scrolls they would cost several times as much. */
const SLOTS = 16;
const NAME_WIDTH = 230;

export interface GridProps {
  total: number;
  row: (index: number) => RunRow | undefined;
  placeOf: (id: string) => number | undefined;
  /** Changes when a row has. */
  version: number;
  /** What was asked for: the answer to another question is shown from its beginning. */
  question: string;
  columns: readonly Column[];
  best: Runs['best'];
  sort: string;
  descending: boolean;
  /** Ids of the chosen runs, in the order of choice, which gives their colours. */
  chosen: readonly string[];
  trans: Trans;
  need: (first: number, last: number) => void;
  onSort: (key: string) => void;
  onChoose: (id: string, on: boolean, range: boolean) => void;
  onOpen: (run: RunRow) => void;
}

/** What is to be seen: rows [first, last), and columns from `left` to `right` in pixels. */
interface Viewport {
  first: number;
  last: number;
  left: number;
  right: number;
}

/** Where the viewport stands; rows are drawn again only when it has moved by a row, or by many pixels to a side. */
function useViewport(total: number): [preact.RefObject<HTMLDivElement>, Viewport] {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState<Viewport>({ first: 0, last: 30, left: 0, right: Infinity });
  useLayoutEffect(() => {
    const node = box.current;
    if (node === null) {
      return;
    }
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const first = Math.max(0, Math.floor(node.scrollTop / ROW_HEIGHT) - OVERSCAN);
      // Before the first layout there is neither height nor width: as many as a screen has, and all columns.
      const last = Math.ceil((node.scrollTop + (node.clientHeight || UNKNOWN_HEIGHT)) / ROW_HEIGHT) + OVERSCAN;
      const left = Math.floor(Math.abs(node.scrollLeft) / ASIDE) * ASIDE - ASIDE;
      const right = node.clientWidth > 0 ? left + Math.ceil(node.clientWidth / ASIDE + 2) * ASIDE : Infinity;
      const next = { first, last, left, right };
      setSeen(before => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
    };
    const soon = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    node.addEventListener('scroll', soon, { passive: true });
    const observer = new ResizeObserver(soon);
    observer.observe(node);
    return () => {
      cancelAnimationFrame(frame);
      node.removeEventListener('scroll', soon);
      observer.disconnect();
    };
  }, []);
  return [box, { ...seen, last: Math.min(total, seen.last) }];
}

export function RunGrid(props: GridProps) {
  const { total, row, version, columns, best, sort, descending, chosen, trans, need } = props;
  const [box, { first, last, left, right }] = useViewport(total);
  const part = useMemo(() => partOf(columns, left, right), [columns, left, right]);
  // The row that keys act on is that of a run, wherever this one goes.
  const [held, setHeld] = useState<{ index: number; id: string | undefined }>({ index: 0, id: undefined });
  const active = (held.id === undefined ? undefined : props.placeOf(held.id)) ?? held.index;
  const setActive = (index: number): void => setHeld({ index, id: row(index)?.id });
  const now = useNow();
  const minute = Math.floor(now / 60);
  const id = useId();
  useEffect(() => need(first, last), [need, first, last]);
  useLayoutEffect(() => {
    box.current?.scrollTo({ top: 0 });
    setHeld({ index: 0, id: undefined });
  }, [box, props.question]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? ROW_HEIGHT) / ROW_HEIGHT) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total }[event.key];
    const current = row(active);
    if (step !== undefined && event.target === box.current) {
      const next = Math.min(total - 1, Math.max(0, active + step));
      setActive(next);
      reveal(box.current, next);
    } else if (event.key === 'Enter' && current !== undefined && event.target === box.current) {
      props.onOpen(current);
    } else if (event.key === ' ' && current !== undefined && event.target === box.current) {
      props.onChoose(current.id, !chosen.includes(current.id), event.shiftKey);
    } else {
      return;
    }
    event.preventDefault();
  };

  const slots = Math.ceil((last - first) / SLOTS) * SLOTS;
  const shown = [];
  for (let index = first; index < last; index++) {
    const run = row(index);
    shown.push(
      <GridRow
        key={index % slots}
        id={`${id}-${index}`}
        index={index}
        run={run}
        columns={part.columns}
        before={part.before}
        best={best}
        place={run === undefined ? -1 : chosen.indexOf(run.id)}
        active={index === active}
        clock={run !== undefined && run.ended === null ? now : minute}
        version={version}
        trans={trans}
        onChoose={props.onChoose}
        onOpen={props.onOpen}
      />
    );
  }
  const width = NAME_WIDTH + columns.reduce((sum, column) => sum + column.width, 0);
  return (
    <div
      class="amlnb-grid"
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label={trans('Runs')}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={active >= first && active < last ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="amlnb-grid-head" role="row" aria-rowindex={1} style={{ minWidth: `${width}px` }}>
        <HeadCell column={NAME} {...{ sort, descending, trans }} onSort={props.onSort} />
        {columns.map(column => (
          <HeadCell key={column.key} column={column} {...{ sort, descending, trans }} onSort={props.onSort} />
        ))}
      </div>
      <div
        class="amlnb-grid-body"
        style={{ height: `${total * ROW_HEIGHT}px`, minWidth: `${width}px` }}
        // What was clicked on may be another run's after a turn of the wheel; a key is then the table's.
        onClick={() => box.current?.focus({ preventScroll: true })}
      >
        {shown}
      </div>
    </div>
  );
}

const NAME: Column = { key: 'name', title: 'Run', numeric: false, width: NAME_WIDTH, text: nameOf };

function HeadCell(props: {
  column: Column;
  sort: string;
  descending: boolean;
  trans: Trans;
  onSort: (key: string) => void;
}) {
  const { column, sort, descending } = props;
  const sorted = sort === column.key;
  const title = column === NAME ? props.trans(column.title) : column.title;
  const order = sorted ? (descending ? 'descending' : 'ascending') : 'none';
  return (
    <div role="columnheader" aria-sort={order} class={cellClass(column)} style={{ width: `${column.width}px` }}>
      <button
        type="button"
        class="amlnb-grid-sort"
        onClick={() => props.onSort(column.key)}
        title={props.trans('Sort by %1', title)}
      >
        <span class="amlnb-ellipsis">{title}</span>
        {sorted ? (
          <span aria-hidden="true" class="amlnb-grid-order">
            {descending ? '▾' : '▴'}
          </span>
        ) : null}
      </button>
    </div>
  );
}

/** Columns that are left out at the beginning of a row. */
interface Before {
  count: number;
  width: number;
}

/** The columns that are to be seen, and what is before them. */
function partOf(
  columns: readonly Column[],
  left: number,
  right: number
): { columns: readonly Column[]; before: Before } {
  const before = { count: 0, width: 0 };
  const found: Column[] = [];
  let at = NAME_WIDTH;
  for (const column of columns) {
    if (at + column.width < left) {
      before.count++;
      before.width += column.width;
    } else if (at < right) {
      found.push(column);
    }
    at += column.width;
  }
  return { columns: found, before };
}

interface RowProps {
  id: string;
  index: number;
  run: RunRow | undefined;
  columns: readonly Column[];
  /** Columns before these, and their width. */
  before: Before;
  best: Runs['best'];
  /** Position among the chosen runs; -1 if it is not one of them. */
  place: number;
  active: boolean;
  /** The second for a run that goes on; the minute for one of which only the age changes. */
  clock: number;
  version: number;
  trans: Trans;
  onChoose: GridProps['onChoose'];
  onOpen: GridProps['onOpen'];
}

function sameRow(before: RowProps, after: RowProps): boolean {
  return (
    before.run === after.run &&
    before.index === after.index &&
    before.columns === after.columns &&
    before.best === after.best &&
    before.place === after.place &&
    before.active === after.active &&
    before.clock === after.clock
  );
}

/** A row, drawn again only if something of it has changed: thousands pass by while a person scrolls. */
class GridRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return !sameRow(this.props, next);
  }

  /** What the row showed last: while its next run is being read, that stays in the page unseen, since to make it anew costs a frame. */
  private last: RunRow | undefined;

  override render() {
    this.last = this.props.run ?? this.last;
    const { id, index } = this.props;
    return this.last === undefined ? (
      <div
        id={id}
        role="row"
        aria-rowindex={index + 2}
        aria-busy="true"
        class="amlnb-grid-row"
        style={rowStyle(index)}
      />
    ) : (
      <Cells {...this.props} run={this.last} waits={this.props.run === undefined} />
    );
  }
}

function rowStyle(index: number): { transform: string; height: string } {
  return { transform: `translateY(${index * ROW_HEIGHT}px)`, height: `${ROW_HEIGHT}px` };
}

function Cells(props: RowProps & { run: RunRow; waits: boolean }) {
  const { id, index, run, waits, columns, before, best, place, active, trans } = props;
  const modifiers = [active && ' amlnb-mod-active', place >= 0 && ' amlnb-mod-chosen', waits && ' amlnb-mod-waits'];
  const now = serverNow();
  const name = nameOf(run);
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={place >= 0}
      aria-busy={waits || undefined}
      class={`amlnb-grid-row${modifiers.filter(Boolean).join('')}`}
      style={rowStyle(index)}
      data-amlnb-row={waits ? undefined : run.id}
      onDblClick={waits ? undefined : () => props.onOpen(run)}
    >
      <div role="gridcell" aria-colindex={1} class="amlnb-cell amlnb-cell-name" style={{ width: `${NAME_WIDTH}px` }}>
        <input
          type="checkbox"
          tabIndex={-1}
          checked={place >= 0}
          aria-label={trans('Choose %1', name)}
          style={place >= 0 ? { accentColor: curveStyle(place).colour } : {}}
          onClick={event => props.onChoose(run.id, event.currentTarget.checked, event.shiftKey)}
        />
        <StateMark state={run.state} trans={trans} compact />
        <button
          type="button"
          tabIndex={-1}
          class="amlnb-link amlnb-ellipsis"
          title={`${name}\n${run.id}`}
          onClick={() => props.onOpen(run)}
        >
          {name}
        </button>
        {run.name === null ? null : <span class="amlnb-faint amlnb-nowrap">#{run.number}</span>}
        {run.archived ? <span class="amlnb-faint">{trans('archived')}</span> : null}
      </div>
      {before.count > 0 ? <div class="amlnb-cell-none" style={{ width: `${before.width}px` }} /> : null}
      {columns.map((column, position) => {
        const text = column.text(run, now);
        const marked = column.key.startsWith('metrics.') && isBest(run, column.key.slice(8), best);
        return (
          <div
            key={column.key}
            role="gridcell"
            aria-colindex={before.count + position + 2}
            class={cellClass(column)}
            style={{ width: `${column.width}px` }}
            title={column.more?.(run) ?? text}
          >
            {marked ? (
              <strong class="amlnb-best" title={trans('Best of those shown')}>
                <span aria-hidden="true">★ </span>
                {text}
              </strong>
            ) : (
              text
            )}
          </div>
        );
      })}
    </div>
  );
}

function cellClass(column: Column): string {
  return `amlnb-cell${column.numeric ? ' amlnb-mod-numeric' : ''}${column.key === 'name' ? ' amlnb-cell-name' : ''}`;
}

function reveal(box: HTMLDivElement | null, index: number): void {
  if (box === null) {
    return;
  }
  const top = index * ROW_HEIGHT;
  const room = box.clientHeight - 2 * ROW_HEIGHT;
  if (top < box.scrollTop) {
    box.scrollTop = top;
  } else if (top > box.scrollTop + room) {
    box.scrollTop = top - room;
  }
}
