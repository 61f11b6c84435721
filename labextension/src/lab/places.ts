import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { h } from 'preact';

import type { Place } from '../core/host';
import { followTitle, PlaceView, titleOf } from '../views/place_view';
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
      const widget = tracker.find(each => each.id === id) ?? tabOf(host, place, id);
      if (!tracker.has(widget)) {
        app.shell.add(widget, 'main');
        if (!widget.isAttached) {
          // Notebook 7 has room for its document only: what else there is has a page of its own.
          widget.dispose();
          window.open(host.pageOf(place), '_blank', 'noopener');
          return null;
        }
        void tracker.add(widget);
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

function tabOf(host: LabHost, place: Place, id: string): MainAreaWidget<PlaceWidget> {
  const widget = new MainAreaWidget({ content: new PlaceWidget(host, place) });
  widget.id = id;
  widget.toolbar.hide();
  widget.title.caption = place.view === 'run' ? place.run : titleOf(host, place);
  widget.title.icon = runsIcon;
  widget.title.closable = true;
  const stop = followTitle(host, place, title => {
    widget.title.label = title;
  });
  widget.disposed.connect(stop);
  return widget;
}

class PlaceWidget extends PreactWidget {
  constructor(
    host: LabHost,
    readonly place: Place
  ) {
    super(() => h(PlaceView, { host, place }));
    this.addClass('amlnb-place');
    this.node.tabIndex = -1;
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
