/** Search in a log, line by line from where one is, until something is found. */

import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { toldFault, type Direction } from '../core/client';
import { formatSize } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { IconButton } from './icons';
import { findLine } from './log_find';
import type { LogScroller } from './log_scroller';
import { transOf } from './trans';

const BELOW_PX = 90;

/** Where a search goes on that has come to an end of the file. */
const ROUND: Record<Direction, string> = { forward: 'from the top', backward: 'from the end' };

export interface LogSearchProps {
  host: Host;
  model: RunModel;
  scroller: LogScroller;
  find: Signal<string>;
  /** Byte of the line that was found last. */
  current: Signal<number | null>;
}

export function LogSearch({ host, model, scroller, find, current }: LogSearchProps) {
  const trans = transOf(host);
  const told = useSignal('');
  /** The search that goes on: one at a time. */
  const going = useRef(0);
  const stop = (): void => {
    going.current++;
  };
  useEffect(() => stop, []);
  const search = async (direction: Direction): Promise<void> => {
    const text = find.value;
    if (!text) {
      return;
    }
    const mine = ++going.current;
    const goesOn = (): boolean => mine === going.current;
    const { log } = scroller;
    const size = log.size.peek();
    const from = scroller.isSeen(current.value) ? current.value : scroller.firstSeen();
    const asked = { file: log.file, text, direction, limit: 2 };
    told.value = trans('searching …');
    try {
      const found = await findLine(
        { from, after: from === current.value, direction, size },
        at => model.client.searchLog(model.workspace, model.run, { ...asked, from: at }),
        searched => {
          if (goesOn()) {
            told.value = trans('searching … %1 of %2', formatSize(searched), formatSize(size));
          }
          return goesOn();
        }
      );
      if (goesOn()) {
        current.value = found?.at ?? null;
        told.value = found === null ? trans('not found') : found.round ? trans(ROUND[direction]) : '';
        await (found && scroller.show(found.at, BELOW_PX));
      }
    } catch (error) {
      if (goesOn()) {
        told.value = toldFault(error).message;
      }
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      event.preventDefault();
      void search(event.shiftKey ? 'backward' : 'forward');
    }
  };
  return (
    <span class="amlnb-search" role="search">
      <input
        type="search"
        class="amlnb-input"
        placeholder={trans('Search the log')}
        aria-label={trans('Search the log')}
        value={find.value}
        onInput={event => {
          stop();
          find.value = event.currentTarget.value;
          current.value = null;
          told.value = '';
        }}
        onKeyDown={onKeyDown}
      />
      <IconButton name="up" label={trans('Previous match (Shift+Enter)')} onClick={() => void search('backward')} />
      <IconButton name="down" label={trans('Next match (Enter)')} onClick={() => void search('forward')} />
      <span class="amlnb-faint" role="status">
        {told.value}
      </span>
    </span>
  );
}
