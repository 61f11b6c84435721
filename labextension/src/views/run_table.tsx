/** The table of runs of a workspace: typed queries, sorting, groups, a choice of columns and of runs to compare. */

import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';

import { formatCount } from '../core/format';
import type { Host } from '../core/host';
import { RunsModel } from '../core/runs_model';
import { sessionOf } from '../core/session';
import { titleIn } from '../core/workspaces_model';
import { ColumnChoice } from './column_choice';
import { GroupTable } from './group_table';
import { columnsOf, firstColumns, MAGIC } from './run_columns';
import { LostNotice } from './lost_notice';
import { RunGrid } from './run_grid';
import { Chosen } from './table_actions';
import { transOf, type Trans } from './trans';
import { useAnswer } from './use_answer';

export interface RunTableProps {
  host: Host;
  workspace: string;
  /** Runs of this experiment only. */
  experiment?: string;
  /** The query at first, instead of the last one. */
  query?: string;
  /** Told whenever other runs are chosen. */
  onChosen?: (ids: readonly string[]) => void;
}

/** What is remembered of a table. */
interface Layout {
  query: string;
  sort: string;
  descending: boolean;
  archived: boolean;
  columns: string[] | null;
  group: string;
}

const FIRST: Layout = { query: '', sort: 'created', descending: true, archived: false, columns: null, group: '' };
const TYPING_MS = 300;

export function RunTable({ host, workspace, experiment, query, onChosen }: RunTableProps) {
  const model = useMemo(() => new RunsModel(sessionOf(host), workspace), [host, workspace]);
  const memory = useMemo(
    () => host.remember<Layout>(`table:${workspace}:${experiment ?? ''}`),
    [host, workspace, experiment]
  );
  const layout = useSignal<Layout>({ ...FIRST, ...memory.get(), ...(query === undefined ? {} : { query }) });
  const change = useCallback(
    (part: Partial<Layout>) => {
      layout.value = { ...layout.peek(), ...part };
      // The query that a table was opened with is its own.
      memory.set(query === undefined ? layout.peek() : { ...layout.peek(), query: memory.get()?.query ?? '' });
    },
    [layout, memory, query]
  );
  useEffect(() => {
    const { query: text, sort, descending, archived } = layout.peek();
    model.ask({ ...asked(text), sort, descending, archived, ...(experiment === undefined ? {} : { experiment }) });
    return model.start();
  }, [model, experiment, layout]);

  const trans = transOf(host);
  const { sort, descending, archived, columns: picked, group } = layout.value;
  const names = model.columns.value;
  const all = useMemo(() => columnsOf(names, trans), [names, trans]);
  const keys = picked ?? firstColumns(names, experiment !== undefined);
  const shown = useMemo(() => all.filter(column => keys.includes(column.key)), [all, keys.join('\n')]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  useEffect(() => onChosen?.(chosen), [chosen]);
  const anchor = useRef('');
  const choose = useCallback(
    async (id: string, on: boolean, range: boolean) => {
      const [from, to] = [model.placeOf(anchor.current), model.placeOf(id)];
      anchor.current = id;
      const known = range && from !== undefined && to !== undefined;
      const ids = known ? await model.idsBetween(Math.min(from, to), Math.max(from, to)) : [id];
      setChosen(before => (on ? [...new Set([...before, ...ids])] : before.filter(each => !ids.includes(each))));
    },
    [model]
  );
  const onSort = useCallback(
    (key: string) => {
      const { sort: before, descending: down } = layout.peek();
      const next = { sort: key, descending: before === key ? !down : !isText(key) };
      change(next);
      model.ask(next);
    },
    [change, layout, model]
  );
  const need = useCallback((first: number, last: number) => model.need(first, last), [model]);
  const open = useCallback(
    (run: { id: string }) => host.open({ view: 'run', workspace, run: run.id }),
    [host, workspace]
  );
  const total = model.total.value;

  return (
    <div class="amlnb-view amlnb-table" data-amlnb-run-table={workspace}>
      <LostNotice host={host} />
      <div class="amlnb-table-bar" role="toolbar" aria-label={trans('Runs')}>
        <QueryBox
          trans={trans}
          value={layout.value.query}
          fault={model.fault.value}
          onQuery={text => {
            change({ query: text });
            model.ask(asked(text));
          }}
        />
        <label class="amlnb-check">
          <input
            type="checkbox"
            checked={archived}
            onChange={event => {
              change({ archived: event.currentTarget.checked });
              model.ask({ archived: event.currentTarget.checked });
            }}
          />
          {trans('Archived')}
        </label>
        <label class="amlnb-check">
          {trans('Group by')}
          <select value={group} onChange={event => change({ group: event.currentTarget.value })}>
            <option value="">{trans('nothing')}</option>
            {all.filter(groupable).map(column => (
              <option key={column.key} value={column.key}>
                {column.key.startsWith('tags.') ? trans('tag %1', column.key.slice(5)) : column.title}
              </option>
            ))}
          </select>
        </label>
        <ColumnChoice all={all} keys={keys} trans={trans} onChange={columns => change({ columns })} />
      </div>
      {group === '' ? (
        <RunGrid
          total={total ?? 0}
          row={index => model.row(index)}
          placeOf={id => model.placeOf(id)}
          version={model.version.value}
          question={JSON.stringify(model.question.value)}
          columns={shown}
          best={model.best.value}
          sort={sort}
          descending={descending}
          chosen={chosen}
          trans={trans}
          need={need}
          onSort={onSort}
          onChoose={(id, on, range) => void choose(id, on, range)}
          onOpen={open}
        />
      ) : (
        <GroupTable
          host={host}
          workspace={workspace}
          by={group}
          title={all.find(column => column.key === group)?.title ?? group}
          metrics={shown.filter(column => column.key.startsWith('metrics.')).map(column => column.title)}
          question={{ experiment, ...asked(layout.value.query), archived }}
          version={model.version.value}
        />
      )}
      <Chosen
        host={host}
        workspace={workspace}
        chosen={chosen}
        going={chosen.some(id => model.mayGo(id))}
        archived={archived}
        onClear={() => setChosen([])}
      />
      <div class="amlnb-table-foot" role="status">
        <span>
          {total === null
            ? model.fault.value === null && trans('Reading the runs …')
            : total === 0
              ? emptyText(layout.value.query, trans)
              : total === 1
                ? trans('1 run')
                : trans('%1 runs', formatCount(total))}
          {model.running.value > 0 ? ` · ${trans('%1 going', model.running.value)}` : ''}
          {model.unreadable.value > 0 ? ` · ${trans('%1 cannot be read', model.unreadable.value)}` : ''}
        </span>{' '}
        <WorkspaceName host={host} workspace={workspace} />
      </div>
    </div>
  );
}

/** Of which workspace these are the runs. */
function WorkspaceName({ host, workspace }: { host: Host; workspace: string }) {
  const { answer } = useAnswer(() => sessionOf(host).client.workspaces(), [host, workspace]);
  const found = answer?.workspaces.find(each => each.key === workspace);
  return found === undefined ? null : (
    <span class="amlnb-table-workspace amlnb-ellipsis" title={found.path}>
      {transOf(host)('Workspace %1', titleIn(answer?.workspaces ?? [], found))}
    </span>
  );
}

function emptyText(query: string, trans: Trans): string {
  return query === '' ? trans('No runs yet. Put %1 on top of a cell and run it.', MAGIC) : trans('No run matches.');
}

/** Words alone are looked for in everything a run is called; whatever compares is a query. */
function asked(text: string): { query: string; search: string } {
  const typed = /[<>=!()"'[\]]|\b(and|or|not|in)\b/.test(text);
  return typed ? { query: text, search: '' } : { query: '', search: text.trim() };
}

function isText(key: string): boolean {
  return ['name', 'experiment', 'target', 'state'].includes(key) || key.startsWith('tags.');
}

function groupable(column: { key: string }): boolean {
  return ['experiment', 'target'].includes(column.key) || /^(parameters|tags)\./.test(column.key);
}

function stop(timer: ReturnType<typeof setTimeout> | null): void {
  if (timer !== null) {
    clearTimeout(timer);
  }
}

function QueryBox(props: {
  trans: Trans;
  value: string;
  fault: { message: string; hint: string | null } | null;
  onQuery: (query: string) => void;
}) {
  const { trans, value, fault, onQuery } = props;
  const id = useId();
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const ask = (typed: string, wait: number): void => {
    stop(timer.current);
    timer.current = setTimeout(() => {
      timer.current = null;
      onQuery(typed);
    }, wait);
  };
  useEffect(() => () => stop(timer.current), []);
  useEffect(() => {
    // What is being typed stays, whatever else changes meanwhile.
    if (timer.current === null) {
      setText(value);
    }
  }, [value]);
  return (
    <div class="amlnb-query">
      <input
        type="search"
        class="amlnb-input"
        placeholder={trans('lr < 0.01 and state == "Completed"')}
        aria-label={trans('Filter the runs')}
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : id}
        spellcheck={false}
        value={text}
        onInput={event => {
          setText(event.currentTarget.value);
          ask(event.currentTarget.value, TYPING_MS);
        }}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            ask(event.currentTarget.value, 0);
          }
        }}
      />
      {fault === null ? null : (
        <div id={id} class="amlnb-query-fault" role="alert">
          {fault.message}
          {fault.hint === null ? null : <span class="amlnb-faint"> {fault.hint}</span>}
        </div>
      )}
    </div>
  );
}
