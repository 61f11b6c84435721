import { Notification } from '@jupyterlab/apputils';
import { effect, signal } from '@preact/signals';

import { ENDS, type RunRow } from '../core/contract';
import { formatBeginning, formatDuration } from '../core/format';
import { sessionOf } from '../core/session';
import type { WorkspacesModel } from '../core/workspaces_model';
import { nameOf } from '../views/run_columns';
import type { LabHost } from './host';

const FAILURE_MS = 10_000;
const MOST_CHARACTERS = 120;

/** Which ends are told: the choice of the settings. */
export type Told = 'all' | 'failures' | 'none';

/** Follows the current workspace: how many runs are going, and which have just ended. */
export class Watcher {
  readonly running = signal(0);
  told: Told = 'all';
  /** Runs that were seen before their end; only the end of such a one is news. */
  private readonly going = new Set<string>();
  private unwatch: (() => void) | null = null;

  constructor(
    private readonly host: LabHost,
    workspaces: WorkspacesModel
  ) {
    effect(() => {
      const workspace = workspaces.current.value?.key;
      this.unwatch?.();
      this.unwatch = workspace === undefined ? null : this.watch(workspace);
    });
  }

  private watch(workspace: string): () => void {
    const { client, stream } = sessionOf(this.host);
    this.going.clear();
    this.running.value = 0;
    const note = (run: RunRow): void => {
      if (!ENDS.has(run.state)) {
        this.going.add(run.id);
      } else if (this.going.delete(run.id)) {
        this.tell(workspace, run);
      }
    };
    return stream.watch(workspace, {
      onBegin: () => {
        // What was going when the connection broke may have ended since.
        client.runs(workspace, { sort: 'created', descending: true, limit: 100 }).then(
          answer => answer.runs.forEach(note),
          () => undefined
        );
      },
      onRuns: (changed, _, running) => {
        this.running.value = running;
        changed.forEach(note);
      },
      onGone: () => undefined
    });
  }

  private tell(workspace: string, run: RunRow): void {
    if (this.told === 'none' || (this.told === 'failures' && run.state !== 'Failed') || run.parent !== null) {
      return;
    }
    if (isOnScreen(run.id)) {
      return;
    }
    const name = nameOf(run);
    const time = run.elapsed_s === null ? '' : formatDuration(run.elapsed_s);
    const actions = [
      {
        label: this.host.trans('Open'),
        callback: () => this.host.open({ view: 'run', workspace, run: run.id })
      }
    ];
    if (run.state === 'Failed') {
      const why = formatBeginning(run.error ?? '', MOST_CHARACTERS);
      Notification.error(this.host.trans('%1 failed: %2', name, why), { actions, autoClose: FAILURE_MS });
    } else if (run.state === 'Canceled') {
      Notification.info(this.host.trans('%1 was canceled', name), { actions, autoClose: 6000 });
    } else {
      Notification.success(this.host.trans('%1 has completed in %2', name, time), { actions, autoClose: 6000 });
    }
  }
}

/** Whether a view of the run stands before the person. */
function isOnScreen(run: string): boolean {
  return [...document.querySelectorAll(`[data-amlnb-run="${CSS.escape(run)}"]`)].some(view => {
    const { top, bottom, height } = view.getBoundingClientRect();
    return height > 0 && top < window.innerHeight && bottom > 0;
  });
}
