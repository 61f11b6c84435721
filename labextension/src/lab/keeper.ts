import type { ICodeCellModel } from '@jupyterlab/cells';
import type { IDisplayData, IExecuteResult, IOutput } from '@jupyterlab/nbformat';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { ENDS, type Outputs } from '../core/contract';
import type { Host } from '../core/host';
import { DETAILS_MIME, RUN_MIME, type RunOutput, runOf } from './run_output';

/** A saved notebook is never older than this beside its live view. */
const STALE_MS = 30_000;
/** The kernel that submitted a run writes its last outputs itself, if it is still there. */
const GRACE_MS = 3000;

type Shown = IDisplayData | IExecuteResult;

interface Place {
  outputs: ICodeCellModel['outputs'];
  index: number;
  output: Shown;
}

/**
 * Keeps what a notebook holds of a run true, where no kernel does so any more: the last outputs once the run has ended,
 * and newer ones while it goes on.
 */
export class Keeper {
  /** When the outputs of a run in a notebook last changed, by whomever, and what they were. */
  private readonly seen = new Map<string, { text: string; at: number }>();

  constructor(
    private readonly host: Host,
    private readonly notebooks: INotebookTracker
  ) {}

  /** Keep the outputs of a live view until they are final or the view is gone. */
  async keep(view: RunOutput, workspace: string, run: string, state: () => string): Promise<void> {
    let pause = GRACE_MS;
    for (;;) {
      await new Promise(resolve => setTimeout(resolve, pause));
      if (view.isDisposed || !view.shows(run)) {
        return;
      }
      const panel = this.notebooks.find(each => each.node.contains(view.node));
      if (panel === undefined || panel.context.model.readOnly) {
        pause = STALE_MS; // Closed up, it is in no notebook; opened again, it is.
        continue;
      }
      const places = placesOf(panel, run);
      if (places.length > 0 && places.every(place => isFinal(place.output))) {
        return;
      }
      const ended = ENDS.has(state());
      if (ended || this.isStale(`${panel.id} ${run}`, places)) {
        await this.renew(places, workspace, run);
      }
      pause = ended ? STALE_MS : GRACE_MS;
    }
  }

  private isStale(key: string, places: Place[]): boolean {
    const text = JSON.stringify(places.map(place => place.output.data['text/plain']));
    const before = this.seen.get(key);
    if (before?.text !== text) {
      this.seen.set(key, { text, at: Date.now() });
      return false;
    }
    return Date.now() - before.at >= STALE_MS;
  }

  private async renew(places: Place[], workspace: string, run: string): Promise<void> {
    const address = `w/${encodeURIComponent(workspace)}/runs/${encodeURIComponent(run)}/outputs`;
    let told: Outputs;
    try {
      const response = await this.host.fetch(address);
      if (!response.ok) {
        return;
      }
      told = (await response.json()) as Outputs;
    } catch {
      return; // The server is away: tried again.
    }
    for (const { outputs, index, output } of places) {
      const isPicture = RUN_MIME in output.data;
      const bundle = isPicture ? told.picture : told.details;
      // Meanwhile the cell may have been run again.
      if (index < outputs.length && sameRun(outputs.get(index).toJSON(), run)) {
        outputs.set(index, { ...output, ...bundle } as IOutput);
      }
    }
  }
}

function placesOf(panel: NotebookPanel, run: string): Place[] {
  const found: Place[] = [];
  for (const cell of panel.content.model?.cells ?? []) {
    if (cell.type !== 'code') {
      continue;
    }
    const { outputs } = cell as ICodeCellModel;
    for (let index = 0; index < outputs.length; index++) {
      const output = outputs.get(index).toJSON();
      if (sameRun(output, run)) {
        found.push({ outputs, index, output: output as Shown });
      }
    }
  }
  return found;
}

function sameRun(output: IOutput, run: string): boolean {
  if (output.output_type !== 'display_data' && output.output_type !== 'execute_result') {
    return false;
  }
  const { data } = output as Shown;
  return runOf(data[RUN_MIME])?.id === run || runOf(data[DETAILS_MIME])?.id === run;
}

function isFinal(output: Shown): boolean {
  const told = runOf(output.data[RUN_MIME] ?? output.data[DETAILS_MIME]);
  return told !== null && ENDS.has(told.state) && !('image/svg+xml' in output.data);
}
