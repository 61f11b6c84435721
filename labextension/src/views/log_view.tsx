/** A log of any length: followed, scrolled, searched. */

import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';

import type { Host } from '../core/host';
import { LogModel } from '../core/log_model';
import type { RunModel } from '../core/run_model';
import { formatSize } from '../core/format';
import { FaultBox } from './fault_box';
import { Icon, IconButton } from './icons';
import { LINE_PX } from './log_layout';
import { LineText } from './log_line';
import { LogScroller } from './log_scroller';
import { LogSearch } from './log_search';
import { FileLink } from './run_file';
import { copying } from './telling';
import { transOf } from './trans';

const OVERSCAN = 12;
/** How often a log that the stream does not tell of is looked at. */
const LOOK_MS = 3000;

export interface LogViewProps {
  host: Host;
  model: RunModel;
  /** Name of the log; the one that is shown first if left out. */
  file?: string;
}

export function LogView({ host, model, file }: LogViewProps) {
  const trans = transOf(host);
  const name = file ?? model.log.value?.file;
  const scroller = useMemo(
    () => (name === undefined ? null : new LogScroller(new LogModel(model.client, model.workspace, model.run, name))),
    [model, name]
  );
  if (!scroller) {
    return <p class="amlnb-empty">{trans('There is no log yet.')}</p>;
  }
  return <OpenLog key={name} host={host} model={model} scroller={scroller} />;
}

function OpenLog({ host, model, scroller }: { host: Host; model: RunModel; scroller: LogScroller }) {
  const trans = transOf(host);
  const { log, follows } = scroller;
  const find = useSignal('');
  const current = useSignal<number | null>(null);
  const empty = model.log.value?.file === log.file && model.log.value.bytes === 0;
  useFollowed(model, log);
  const copy = (): void => {
    const lines = log.lines.peek().map(line => line.text);
    void copying(host, lines.join('\n'), trans('Copied %1 lines', lines.length));
  };
  return (
    <div class="amlnb-log">
      <div class="amlnb-toolbar" role="group" aria-label={trans('Log')}>
        <LogSearch host={host} model={model} scroller={scroller} find={find} current={current} />
        {model.ended.value ? null : (
          <label class="amlnb-check">
            <input
              type="checkbox"
              checked={follows.value}
              onChange={event => {
                follows.value = event.currentTarget.checked;
                if (follows.value) {
                  void scroller.follow();
                }
              }}
            />
            <span>{trans('Follow')}</span>
          </label>
        )}
        <span class="amlnb-spring" />
        <span class="amlnb-faint amlnb-number" title={log.file}>
          {formatSize(log.size.value)}
        </span>
        <IconButton name="copy" label={trans('Copy the lines that are loaded')} onClick={copy} />
        <FileLink
          host={host}
          model={model}
          name={log.file}
          class="amlnb-icon-button"
          label={trans('Download %1', log.file)}
        >
          <Icon name="save" />
        </FileLink>
      </div>
      {log.fault.value ? <FaultBox fault={log.fault.value} again={() => void log.retry()} trans={trans} /> : null}
      {empty ? (
        <p class="amlnb-empty">
          {model.ended.value ? trans('This run printed nothing.') : trans('This run has printed nothing yet.')}
        </p>
      ) : (
        <LogLines scroller={scroller} label={log.file} find={find.value} current={current.value} />
      )}
    </div>
  );
}

interface LogLinesProps {
  scroller: LogScroller;
  label: string;
  find: string;
  /** Byte of the line that was found. */
  current: number | null;
}

function LogLines({ scroller, label, find, current }: LogLinesProps) {
  const element = useRef<HTMLDivElement>(null);
  const { log, view } = scroller;
  const lines = log.lines.value;
  const size = log.size.value;
  useLayoutEffect(() => (element.current ? scroller.attach(element.current) : undefined), [scroller]);
  useLayoutEffect(() => scroller.settle(), [scroller, lines, size]);
  const { before, held, after } = scroller.layout();
  const { top, height } = view.value;
  const first = Math.max(0, Math.floor((top - before) / LINE_PX) - OVERSCAN);
  const last = Math.min(lines.length, Math.ceil((top + height - before) / LINE_PX) + OVERSCAN);
  return (
    <div
      class="amlnb-log-scroll"
      ref={element}
      tabIndex={0}
      role="region"
      aria-label={label}
      onScroll={() => scroller.onScroll()}
    >
      <div class="amlnb-log-all" style={{ height: `${before + held + after}px` }}>
        <div class="amlnb-log-lines" style={{ transform: `translateY(${before + first * LINE_PX}px)` }}>
          {lines.slice(first, Math.max(first, last)).map(line => (
            <div key={line.at} class={`amlnb-log-line${line.at === current ? ' amlnb-log-found' : ''}`}>
              <LineText line={line} find={find} />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

export interface LogTailProps {
  host: Host;
  model: RunModel;
  /** The most lines that are shown. */
  count: number;
  /** Those before the last line that is this one, if any is. */
  before: string | null;
}

/** The last lines of a run's log, for a small place. */
export function LogTail({ host, model, count, before }: LogTailProps) {
  const trans = transOf(host);
  const name = model.log.value?.file ?? '';
  const log = useMemo(
    () => new LogModel(model.client, model.workspace, model.run, name, { bytes: 4096, lines: 40 }),
    [model, name]
  );
  useFollowed(model, log);
  const every = log.lines.value;
  const end = before === null ? -1 : every.findLastIndex(({ text }) => text === before);
  const lines = end < 0 ? every : every.slice(0, end);
  const last = lines.findLastIndex(({ text }) => text.trim() !== '') + 1;
  if (last === 0) {
    return null;
  }
  return (
    <pre
      class="amlnb-log-tail"
      style={{ height: `${Math.min(count, last) * LINE_PX}px` }}
      aria-label={trans('End of the log')}
    >
      {lines.slice(Math.max(0, last - count), last).map(line => (
        <div key={line.at} class="amlnb-log-line">
          <LineText line={line} find="" />
        </div>
      ))}
    </pre>
  );
}

/** Show the end of the log, and have it grow with the run. */
function useFollowed(model: RunModel, log: LogModel): void {
  const told = model.log.value?.file === log.file ? model.log.value.bytes : null;
  const ended = model.ended.value;
  const lost = model.lost.value;
  useEffect(() => {
    if (!lost && log.fault.peek() !== null) {
      void log.retry();
    }
  }, [log, lost]);
  useEffect(() => {
    if (told !== null && told > 0) {
      void log.grown(told);
    }
  }, [log, told]);
  useEffect(() => {
    if (told !== null) {
      return undefined;
    }
    void log.look();
    const timer = ended ? null : setInterval(() => void log.look(), LOOK_MS);
    return () => {
      if (timer !== null) {
        clearInterval(timer);
      }
    };
  }, [log, told === null, ended]);
}
