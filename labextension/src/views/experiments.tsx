/** Experiments of a workspace and their newest runs: what stands in JupyterLab's sidebar and beside the studio's table. */

import { useEffect, useState } from 'preact/hooks';

import type { ExperimentInfo, RunRow } from '../core/contract';
import { ENDS } from '../core/contract';
import { formatAge, formatCount, formatDuration, formatNumber, toNumber } from '../core/format';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { titleIn, type WorkspacesModel } from '../core/workspaces_model';
import { useNow } from './clock';
import { FaultBox } from './fault_box';
import { LostNotice } from './lost_notice';
import { MAGIC, nameOf } from './run_columns';
import { StateMark } from './state_mark';
import { transOf, type Trans } from './trans';
import { useAnswer } from './use_answer';

const SHOWN_RUNS = 12;
/** Of a run, in its second line. */
const LINE_METRICS = 3;

export interface ExperimentsProps {
  host: Host;
  workspaces: WorkspacesModel;
}

export function Experiments({ host, workspaces }: ExperimentsProps) {
  const current = workspaces.current.value;
  const fault = workspaces.fault.value;
  const trans = transOf(host);
  if (fault !== null) {
    return (
      <div class="amlnb-view amlnb-experiments">
        <FaultBox fault={fault} />
      </div>
    );
  }
  return (
    <div class="amlnb-view amlnb-experiments">
      <LostNotice host={host} />
      <div class="amlnb-experiments-head">
        <WorkspaceChoice workspaces={workspaces} trans={trans} />
        {current === null ? null : (
          <button
            type="button"
            class="amlnb-button"
            onClick={() => host.open({ view: 'runs', workspace: current.key })}
          >
            {trans('All runs')}
          </button>
        )}
      </div>
      {current === null ? (
        <p class="amlnb-empty">{noRuns(workspaces, trans)}</p>
      ) : (
        <ExperimentList key={current.key} host={host} workspace={current.key} />
      )}
    </div>
  );
}

/** What is said where there is no run to show; the magic is an argument, for a text's own "%%" comes out as one. */
export function noRuns(workspaces: WorkspacesModel, trans: Trans): string {
  return workspaces.all.value.length > 0
    ? trans('No runs in this folder yet. Put %1 on top of a cell and run it.', MAGIC)
    : trans('No runs yet. Put %1 on top of a cell and run it.', MAGIC);
}

/** The workspace that is shown, and the others. */
function WorkspaceChoice({ workspaces, trans }: { workspaces: WorkspacesModel; trans: Trans }) {
  const all = workspaces.all.value;
  const current = workspaces.current.value;
  if (current !== null && all.length === 1) {
    return (
      <span class="amlnb-ellipsis" title={current.path}>
        {current.name}
      </span>
    );
  }
  if (all.length === 0) {
    return null;
  }
  return (
    <select
      class="amlnb-input"
      aria-label={trans('Workspace')}
      title={current?.path}
      value={current?.key ?? ''}
      onChange={event => workspaces.choose(event.currentTarget.value)}
    >
      {workspaces.found ? null : <option value="">{trans('this folder')}</option>}
      {all.map(each => (
        <option key={each.key} value={each.key} title={each.path}>
          {titleIn(all, each)}
        </option>
      ))}
    </select>
  );
}

function ExperimentList({ host, workspace }: { host: Host; workspace: string }) {
  const version = useChanges(host, workspace);
  const { client } = sessionOf(host);
  const trans = transOf(host);
  const { answer, fault, again } = useAnswer(() => client.experiments(workspace), [host, workspace], { version });
  if (fault !== null) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  if (answer === null) {
    return <p class="amlnb-empty">{trans('Reading the runs …')}</p>;
  }
  if (answer.experiments.length === 0) {
    return <p class="amlnb-empty">{trans('No runs yet. Put %1 on top of a cell and run it.', MAGIC)}</p>;
  }
  return (
    <>
      {answer.experiments.map((experiment, position) => (
        <Experiment
          key={experiment.name}
          host={host}
          workspace={workspace}
          experiment={experiment}
          version={version}
          first={position === 0}
        />
      ))}
    </>
  );
}

/** A number that goes up when runs of the workspace have changed. */
function useChanges(host: Host, workspace: string): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const note = (): void => setVersion(before => before + 1);
    return sessionOf(host).stream.watch(workspace, {
      onBegin: note,
      onRuns: (changed, removed) => {
        if (changed.length + removed.length > 0) {
          note();
        }
      },
      onGone: note // The answer says what is wrong.
    });
  }, [host, workspace]);
  return version;
}

interface ExperimentProps {
  host: Host;
  workspace: string;
  experiment: ExperimentInfo;
  version: number;
  /** The newest one stands open at first. */
  first: boolean;
}

function Experiment({ host, workspace, experiment, version, first }: ExperimentProps) {
  const [open, setOpen] = useState(first || experiment.running > 0);
  return (
    <details
      class="amlnb-experiment"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
      data-amlnb-experiment={experiment.name}
    >
      <summary>
        <span class="amlnb-ellipsis">{experiment.name}</span>
        {experiment.running > 0 ? (
          <span class="amlnb-badge amlnb-mod-going">{host.trans('%1 going', experiment.running)}</span>
        ) : null}
        <span class="amlnb-faint">{formatCount(experiment.runs)}</span>
      </summary>
      {open ? <NewestRuns host={host} workspace={workspace} experiment={experiment.name} version={version} /> : null}
    </details>
  );
}

interface NewestRunsProps {
  host: Host;
  workspace: string;
  experiment: string;
  version: number;
}

function NewestRuns({ host, workspace, experiment, version }: NewestRunsProps) {
  const asked = { experiment, sort: 'created', descending: true, limit: SHOWN_RUNS };
  // What is wrong is said by the list above.
  const { answer } = useAnswer(() => sessionOf(host).client.runs(workspace, asked), [host, workspace, experiment], {
    version
  });
  if (answer === null) {
    return null;
  }
  return (
    <>
      <ul>
        {answer.runs.map(run => (
          <li key={run.id}>
            <RunLine host={host} workspace={workspace} run={run} />
          </li>
        ))}
      </ul>
      {answer.total > answer.runs.length ? (
        <button
          type="button"
          class="amlnb-link amlnb-more"
          onClick={() =>
            host.open({
              view: 'runs',
              workspace,
              query: `experiment == ${JSON.stringify(experiment)} and parent == null`
            })
          }
        >
          {host.trans('All %1 runs', formatCount(answer.total))}
        </button>
      ) : null}
    </>
  );
}

function RunLine({ host, workspace, run }: { host: Host; workspace: string; run: RunRow }) {
  const trans = transOf(host);
  const now = useNow();
  const metrics = Object.entries(run.metrics).slice(0, LINE_METRICS);
  const time =
    ENDS.has(run.state) || run.started === null
      ? formatAge(now - run.created, trans)
      : formatDuration(now - run.started, true);
  return (
    <button
      type="button"
      class="amlnb-run-line"
      title={`${nameOf(run)}\n${run.error ?? run.id}`}
      onClick={() => host.open({ view: 'run', workspace, run: run.id })}
    >
      <StateMark state={run.state} trans={trans} compact />
      <span class="amlnb-ellipsis">{run.name ?? `#${run.number}`}</span>
      {run.name === null ? null : <span class="amlnb-faint amlnb-nowrap">#{run.number}</span>}
      <span class="amlnb-faint amlnb-nowrap amlnb-run-line-time">{time}</span>
      {metrics.length === 0 ? null : (
        <span class="amlnb-faint amlnb-ellipsis amlnb-run-line-metrics">
          {metrics.map(([name, { last }]) => `${name} ${formatNumber(toNumber(last))}`).join(' · ')}
        </span>
      )}
    </button>
  );
}
