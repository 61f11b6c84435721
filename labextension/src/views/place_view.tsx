/** A place: its view, and what it is called. */

import { effect } from '@preact/signals';

import type { Host, Place } from '../core/host';
import { sessionOf } from '../core/session';
import { Compare } from './compare';
import { nameOf } from './run_columns';
import { RunTable } from './run_table';
import { RunView } from './run_view';

/** Of a run's id, which is shown until its name is known. */
const LONGEST_ID = 28;

export interface PlaceViewProps {
  host: Host;
  place: Place;
  /** Told of the runs that are chosen in a table. */
  onChosen?: (ids: readonly string[]) => void;
}

export function PlaceView({ host, place, ...table }: PlaceViewProps) {
  const { workspace } = place;
  switch (place.view) {
    case 'run':
      return <RunView host={host} workspace={workspace} run={place.run} />;
    case 'compare':
      return <Compare host={host} workspace={workspace} runs={place.runs} />;
    default: {
      const query = place.query === undefined ? {} : { query: place.query };
      return <RunTable host={host} workspace={workspace} {...query} {...table} />;
    }
  }
}

export function titleOf(host: Host, place: Place): string {
  switch (place.view) {
    case 'run':
      return place.run.length > LONGEST_ID ? `…${place.run.slice(4 - LONGEST_ID)}` : place.run;
    case 'compare':
      return host.trans('Compare %1 runs', place.runs.length);
    default:
      return place.query === undefined ? host.trans('Runs') : host.trans('Runs: %1', place.query);
  }
}

/** Tell what a place is called, a run also when it is renamed; the answer ends that. */
export function followTitle(host: Host, place: Place, tell: (title: string) => void): () => void {
  tell(titleOf(host, place));
  if (place.view !== 'run') {
    return () => undefined;
  }
  const [model, release] = sessionOf(host).follow(place.workspace, place.run);
  const stop = effect(() => {
    if (model.document.value !== null) {
      tell(nameOf(model.document.value));
    }
  });
  return () => {
    stop();
    release();
  };
}
