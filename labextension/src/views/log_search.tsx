/** Search in a log, line by line from where one is. */

import { useSignal, type Signal } from '@preact/signals';

import { toldFault, type Direction } from '../core/client';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { IconButton } from './icons';
import type { LogScroller } from './log_scroller';
import { transOf } from './trans';

/** How often a search that found nothing in its part of the file goes on by itself. */
const PARTS = 200;
const BELOW_PX = 90;

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
  const search = async (direction: Direction): Promise<void> => {
    const text = find.value;
    if (!text) {
      return;
    }
    told.value = trans('searching …');
    try {
      const at = await nextMatch(model, scroller, text, direction, current.value);
      told.value = at === null ? (direction === 'forward' ? trans('none below') : trans('none above')) : '';
      if (at !== null && find.value === text) {
        current.value = at;
        await scroller.show(at, BELOW_PX);
      }
    } catch (error) {
      told.value = toldFault(error).message;
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
          find.value = event.currentTarget.value;
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

/** Byte of the next line with the text; null if there is none up to the end of the file. */
async function nextMatch(
  model: RunModel,
  scroller: LogScroller,
  text: string,
  direction: Direction,
  current: number | null
): Promise<number | null> {
  const { log } = scroller;
  const start = direction === 'forward' ? 0 : log.size.peek();
  let from: number | null = current ?? start;
  for (let part = 0; part < PARTS && from !== null; part++) {
    const asked = { file: log.file, text, from, direction, limit: 2 };
    const { matches, next } = await model.client.searchLog(model.workspace, model.run, asked);
    const found = matches.find(({ at }) => at !== current);
    if (found) {
      return found.at;
    }
    from = next;
  }
  return null;
}
