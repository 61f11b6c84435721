import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { effect } from '@preact/signals';
import { type ComponentChild, h } from 'preact';

import type { Place } from '../core/host';
import { sessionOf } from '../core/session';
import { Compare } from '../views/compare';
import { nameOf } from '../views/run_columns';
import { RunTable } from '../views/run_table';
import { RunView } from '../views/run_view';
import type { LabHost } from './host';
import { OPEN } from './host';
import { runsIcon } from './icons';
import { PreactWidget } from './preact_widget';

/** Runs, tables and comparisons as tabs of the main area, which come back when the page is reloaded. */
export function addPlaces(app: JupyterFrontEnd, host: LabHost, restorer: ILayoutRestorer | null): void {
  const tracker = new WidgetTracker<MainAreaWidget<PlaceWidget>>({ namespace: 'amlnb' });
  app.commands.addCommand(OPEN, {
    label: host.trans('Open a run, a table of runs or a comparison'),
    describedBy: { args: null },
    execute: args => {
      const place = placeOf(args);
      if (place === null) {
        throw new Error(`nothing of amlnb is shown by ${JSON.stringify(args)}: give a view and a workspace`);
      }
      const id = idOf(place);
      const open = tracker.find(widget => widget.id === id);
      const widget = open ?? new MainAreaWidget({ content: new PlaceWidget(host, place) });
      if (open === undefined) {
        widget.id = id;
        widget.toolbar.hide();
        widget.title.label = titleOf(host, place);
        widget.title.caption = place.view === 'run' ? place.run : titleOf(host, place);
        widget.title.icon = runsIcon;
        widget.title.closable = true;
        followName(host, widget);
        void tracker.add(widget);
      }
      if (!widget.isAttached) {
        app.shell.add(widget, 'main');
      }
      app.shell.activateById(widget.id);
      return widget;
    }
  });
  if (restorer !== null) {
    void restorer.restore(tracker, {
      command: OPEN,
      args: widget => ({ ...widget.content.place }),
      name: widget => widget.id
    });
  }
}

/** A run's tab is called as the run is, also when it is renamed. */
function followName(host: LabHost, widget: MainAreaWidget<PlaceWidget>): void {
  const { place } = widget.content;
  if (place.view !== 'run') {
    return;
  }
  const [model, release] = sessionOf(host).follow(place.workspace, place.run);
  const stop = effect(() => {
    if (model.document.value !== null) {
      widget.title.label = nameOf(model.document.value);
    }
  });
  widget.disposed.connect(() => {
    stop();
    release();
  });
}

class PlaceWidget extends PreactWidget {
  constructor(
    host: LabHost,
    readonly place: Place
  ) {
    super(() => viewOf(host, place));
    this.addClass('amlnb-place');
    this.node.tabIndex = -1;
  }
}

function viewOf(host: LabHost, place: Place): ComponentChild {
  const { workspace } = place;
  switch (place.view) {
    case 'run':
      return h(RunView, { host, workspace, run: place.run });
    case 'compare':
      return h(Compare, { host, workspace, runs: place.runs });
    default:
      return h(RunTable, { host, workspace, ...(place.query === undefined ? {} : { query: place.query }) });
  }
}

function titleOf(host: LabHost, place: Place): string {
  switch (place.view) {
    case 'run':
      return place.run.length > 28 ? `…${place.run.slice(-24)}` : place.run;
    case 'compare':
      return host.trans('Compare %1 runs', place.runs.length);
    default:
      return place.query === undefined ? host.trans('Runs') : host.trans('Runs: %1', place.query);
  }
}

function idOf(place: Place): string {
  const what = place.view === 'run' ? place.run : place.view === 'compare' ? place.runs.join(' ') : (place.query ?? '');
  const parts = [place.view, place.workspace, what].map(part => encodeURIComponent(part).replaceAll('%', '_'));
  return `amlnb-${parts.join('-')}`;
}

/** A place out of a command's arguments, which a saved layout or a shortcut holds; null if it is none. */
function placeOf(args: ReadonlyPartialJSONObject): Place | null {
  const { view, workspace, run, runs, query } = args;
  if (typeof workspace !== 'string') {
    return null;
  }
  if (view === 'run' && typeof run === 'string') {
    return { view, workspace, run };
  }
  if (view === 'compare' && Array.isArray(runs)) {
    return { view, workspace, runs: runs.map(String) };
  }
  if (view === 'runs') {
    return typeof query === 'string' ? { view, workspace, query } : { view, workspace };
  }
  return null;
}
