/** The entry point of the widgets (anywidget): what amlnb/widget/widgets.py shows. */

import { signal } from '@preact/signals';
import { render } from 'preact';

import type { Place } from '../core/host';
import { PlaceView } from '../views/place_view';
import { RunTable } from '../views/run_table';
import { RunView } from '../views/run_view';
import { type Model, WidgetHost } from './host';
import { MetricView } from './metric_view';

/** What the widget shows at first. */
interface View {
  view: 'run' | 'metric' | 'runs';
  workspace: string;
  run?: string;
  metric?: string;
  experiment?: string;
}

function start({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const place = signal<Place | null>(null);
  const host = new WidgetHost(model, el, to => {
    place.value = to;
  });
  const first = model.get('_view') as View;
  const query = signal(queryOf(model));
  const follow = (): void => {
    query.value = queryOf(model);
  };
  model.on('change:query', follow);
  const chosen = (ids: readonly string[]): void => {
    model.set('selected', ids);
    model.save_changes();
  };

  function Shown() {
    const at = place.value;
    if (at === null) {
      return <First host={host} view={first} query={query.value} onChosen={chosen} />;
    }
    return (
      <div class="amlnb-view">
        <button
          type="button"
          class="amlnb-button amlnb-widget-back"
          onClick={() => {
            place.value = null;
          }}
        >
          {host.trans('Back')}
        </button>
        <div class={at.view === 'runs' ? 'amlnb-widget-table' : undefined}>
          <PlaceView key={JSON.stringify(at)} host={host} place={at} onChosen={chosen} />
        </div>
      </div>
    );
  }

  el.classList.add('amlnb-widget');
  render(<Shown />, el);
  return () => {
    model.off('change:query', follow);
    render(null, el);
    host.dispose();
  };
}

function queryOf(model: Model): string {
  const query = model.get('query');
  return typeof query === 'string' ? query : '';
}

interface FirstProps {
  host: WidgetHost;
  view: View;
  query: string;
  onChosen: (ids: readonly string[]) => void;
}

function First({ host, view, query, onChosen }: FirstProps) {
  const { workspace, run = '', metric = '', experiment } = view;
  switch (view.view) {
    case 'run':
      return <RunView host={host} workspace={workspace} run={run} compact />;
    case 'metric':
      return <MetricView host={host} workspace={workspace} run={run} metric={metric} />;
    default:
      return (
        <div class="amlnb-widget-table">
          <RunTable
            key={query}
            host={host}
            workspace={workspace}
            query={query}
            {...(experiment === undefined ? {} : { experiment })}
            onChosen={onChosen}
          />
        </div>
      );
  }
}

export default { render: start };
