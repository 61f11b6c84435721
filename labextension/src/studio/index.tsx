import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';

import { RETRY_MS, toldFault } from '../core/client';
import type { About } from '../core/contract';
import type { Place } from '../core/host';
import { sessionOf } from '../core/session';
import { WorkspacesModel } from '../core/workspaces_model';
import { Experiments, noRuns } from '../views/experiments';
import { FaultBox } from '../views/fault_box';
import { followTitle, PlaceView } from '../views/place_view';
import { RunTable } from '../views/run_table';
import { transOf } from '../views/trans';
import { addressOf, placeAt } from '../core/addresses';
import { PageHost } from './host';

const page = new URL(document.baseURI);
const place = signal<Place | null>(here());

function here(): Place | null {
  return placeAt(location.pathname.slice(page.pathname.length), location.search);
}

function go(to: Place): void {
  history.pushState(null, '', new URL(addressOf(to), page));
  place.value = to;
  document.querySelector('main')?.scrollTo(0, 0);
}

function Page({ host, workspaces }: { host: PageHost; workspaces: WorkspacesModel }) {
  const at = place.value;
  const current = workspaces.current.value;
  useEffect(() => {
    if (at !== null) {
      return followTitle(host, at, title => {
        document.title = `${title} · amlnb`;
      });
    }
    document.title = 'amlnb';
    return undefined;
  }, [host, at]);
  const key = at?.workspace ?? current?.key;
  return (
    <>
      <header class="amlnb-page-head">
        <a
          href={new URL(key === undefined ? '' : addressOf({ view: 'runs', workspace: key }), page).href}
          onClick={event => {
            if (key !== undefined && !event.metaKey && !event.ctrlKey) {
              event.preventDefault();
              go({ view: 'runs', workspace: key });
            }
          }}
        >
          amlnb
        </a>
        {host.acts ? null : <span class="amlnb-faint">{host.trans('read only')}</span>}
      </header>
      <nav class="amlnb-page-side" aria-label={host.trans('Experiments')}>
        <Experiments host={host} workspaces={workspaces} />
      </nav>
      <main class="amlnb-page-main">
        {at === null ? (
          current === null ? (
            <p class="amlnb-empty">{noRuns(workspaces, transOf(host))}</p>
          ) : (
            <RunTable key={current.key} host={host} workspace={current.key} />
          )
        ) : (
          <PlaceView key={addressOf(at)} host={host} place={at} />
        )}
      </main>
    </>
  );
}

/** The views know light from dark by what JupyterLab tells of its theme. */
function followColourScheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const tell = (): void => {
    document.body.dataset['jpThemeLight'] = String(!dark.matches);
    document.body.dataset['jpThemeName'] = dark.matches ? 'amlnb dark' : 'amlnb light';
  };
  dark.addEventListener('change', tell);
  tell();
}

/** What the server is, once it tells. */
async function aboutOf(host: PageHost): Promise<About> {
  for (;;) {
    try {
      return await sessionOf(host).client.about();
    } catch (error) {
      render(
        <div class="amlnb-view">
          <FaultBox fault={toldFault(error)} />
        </div>,
        document.body
      );
      await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function start(): Promise<void> {
  followColourScheme();
  const reader = new PageHost(page.href, false, go);
  const about = await aboutOf(reader);
  const host = about.acts ? new PageHost(page.href, true, go) : reader;
  const workspaces = new WorkspacesModel(sessionOf(host).client);
  window.addEventListener('popstate', () => {
    place.value = here();
  });
  effect(() => {
    // A page on its own is of no folder.
    const [first] = workspaces.all.value;
    const key = place.peek()?.workspace ?? workspaces.current.peek()?.key ?? first?.key;
    if (key !== undefined) {
      workspaces.choose(key);
    }
  });
  await workspaces.look('');
  render(<Page host={host} workspaces={workspaces} />, document.body);
}

void start();
