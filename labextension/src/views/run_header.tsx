/** The head of a run: what it is, how it is, and what can be done with it. */

import { useSignal } from '@preact/signals';

import type { RunDocument } from '../core/contract';
import { formatDuration, formatProgress } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { useNow } from './clock';
import { RunActions } from './run_actions';
import { nameOf } from './run_columns';
import { RunName } from './run_name';
import { StateMark, stateWord } from './state_mark';
import { transOf, type Trans } from './trans';

export interface RunHeaderProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
  compact: boolean;
}

export function RunHeader({ host, model, run, compact }: RunHeaderProps) {
  const trans = transOf(host);
  const renaming = useSignal(false);
  return (
    <header class="amlnb-head">
      <div class="amlnb-head-line">
        <StateMark state={run.state} trans={trans} />
        <RunName host={host} model={model} run={run} editing={renaming} />
        <span class="amlnb-facts">
          <Facts run={run} trans={trans} compact={compact} />
          <Elapsed run={run} trans={trans} />
        </span>
        <span class="amlnb-head-actions">
          <RunActions host={host} model={model} run={run} compact={compact} renaming={renaming} />
        </span>
      </div>
      {run.progress ? <ProgressBar progress={run.progress} trans={trans} /> : null}
      {run.reason && run.state !== 'Failed' && run.reason.toLowerCase() !== run.state.toLowerCase() ? (
        <p class="amlnb-reason">{run.reason}</p>
      ) : null}
      <Announced run={run} title={nameOf(run)} trans={trans} />
    </header>
  );
}

function Facts({ run, trans, compact }: { run: RunDocument; trans: Trans; compact: boolean }) {
  return (
    <>
      {compact ? null : (
        <span title={trans('Experiment')}>
          {run.experiment} <span class="amlnb-number">#{run.number}</span>
        </span>
      )}
      <span title={trans('Target')}>
        {run.host && run.host !== run.target ? `${run.target} · ${run.host}` : run.target}
      </span>
      {run.archived ? <span class="amlnb-archived">{trans('archived')}</span> : null}
      {run.attempt > 1 ? <span>{trans('attempt %1', run.attempt)}</span> : null}
    </>
  );
}

/** How long it took, or how long it has been going. */
function Elapsed({ run, trans }: { run: RunDocument; trans: Trans }) {
  const goesOn = run.started !== null && run.ended === null;
  return goesOn || run.elapsed_s !== null ? (
    <span class="amlnb-number" title={trans('Time since the start')}>
      {goesOn ? <Going since={run.started ?? 0} /> : formatDuration(run.elapsed_s ?? 0)}
    </span>
  ) : null;
}

function Going({ since }: { since: number }) {
  return <>{formatDuration(useNow() - since, true)}</>;
}

function ProgressBar({ progress, trans }: { progress: NonNullable<RunDocument['progress']>; trans: Trans }) {
  const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  return (
    <div class="amlnb-progress">
      <div
        class="amlnb-progress-track"
        role="progressbar"
        aria-label={trans('Progress')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(share * 100)}
      >
        <div class="amlnb-progress-done" style={{ transform: `scaleX(${share})` }} />
      </div>
      <span class="amlnb-number">{formatProgress(progress, trans)}</span>
    </div>
  );
}

/** Tells a screen reader when the state changes. */
function Announced({ run, title, trans }: { run: RunDocument; title: string; trans: Trans }) {
  return (
    <span class="amlnb-unseen" aria-live="polite">
      {`${title}: ${stateWord(run.state, trans)}`}
    </span>
  );
}
