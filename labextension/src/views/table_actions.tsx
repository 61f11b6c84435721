/** What can be done with the runs that are chosen in a table. */

import { useState } from 'preact/hooks';

import { toldFault } from '../core/client';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';

/** As many as a comparison takes. */
const MOST_COMPARED = 50;

export interface ChosenProps {
  host: Host;
  workspace: string;
  chosen: readonly string[];
  /** Whether any of them may still be going. */
  going: boolean;
  /** The table shows archived runs too. */
  archived: boolean;
  onClear: () => void;
}

export function Chosen({ host, workspace, chosen, going, archived, onClear }: ChosenProps) {
  const [busy, setBusy] = useState(false);
  if (chosen.length === 0) {
    return null;
  }
  const { client } = sessionOf(host);
  const each = async (act: (run: string) => Promise<unknown>): Promise<void> => {
    setBusy(true);
    const faults: string[] = [];
    for (const run of chosen) {
      try {
        await act(run);
      } catch (error) {
        faults.push(toldFault(error).message);
      }
    }
    setBusy(false);
    if (faults.length > 0) {
      host.notify(host.trans('%1 of %2: %3', faults.length, chosen.length, faults[0] ?? ''), 'error');
    }
    onClear();
  };
  const remove = async (): Promise<void> => {
    const question = host.trans(
      'Delete %1 runs, their child runs and all their files? This cannot be undone.',
      chosen.length
    );
    if (await host.confirm(question, host.trans('Delete'))) {
      await each(run => client.remove(workspace, run, true));
    }
  };
  return (
    <div class="amlnb-chosen" role="toolbar" aria-label={host.trans('Chosen runs')}>
      <span role="status">{host.trans('%1 chosen', chosen.length)}</span>
      <button
        type="button"
        class="amlnb-button amlnb-mod-primary"
        disabled={chosen.length < 2 || chosen.length > MOST_COMPARED}
        title={chosen.length < 2 ? host.trans('Choose two runs or more') : undefined}
        onClick={() => host.open({ view: 'compare', workspace, runs: chosen })}
      >
        {host.trans('Compare')}
      </button>
      {host.acts ? (
        <>
          <button
            type="button"
            class="amlnb-button"
            disabled={busy || !going}
            title={going ? undefined : host.trans('All of them have ended')}
            onClick={() => void each(run => client.cancel(workspace, run))}
          >
            {host.trans('Cancel runs')}
          </button>
          <button
            type="button"
            class="amlnb-button"
            disabled={busy}
            onClick={() => void each(run => client.change(workspace, run, { archived: true }))}
          >
            {host.trans('Archive')}
          </button>
          {archived ? (
            <button
              type="button"
              class="amlnb-button"
              disabled={busy}
              onClick={() => void each(run => client.change(workspace, run, { archived: false }))}
            >
              {host.trans('Take out of the archive')}
            </button>
          ) : null}
          <button type="button" class="amlnb-button" disabled={busy} onClick={() => void remove()}>
            {host.trans('Delete')}
          </button>
        </>
      ) : null}
      <button type="button" class="amlnb-button" onClick={onClear}>
        {host.trans('Clear')}
      </button>
    </div>
  );
}
