/** A run: all of it as a page or tab, or in short as the output of a cell. */

import { useEffect, useState } from 'preact/hooks';
import { useSignal } from '@preact/signals';

import type { RunDocument } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { sessionOf } from '../core/session';
import { CodePanel } from './code_panel';
import { DetailsPanel } from './details_panel';
import { Failure, Warnings } from './failure';
import { FaultBox } from './fault_box';
import { FilesPanel } from './files_panel';
import { LogTail, LogView } from './log_view';
import { LostNotice } from './lost_notice';
import { CompactCharts, MetricsPanel } from './metrics_panel';
import { RunHeader } from './run_header';
import { SystemPanel } from './system_panel';
import { Tabs, type Tab } from './tabs';
import { transOf } from './trans';

const TAIL_LINES = 5;
/** What follows in the log is shown better by what it failed of. */
const TRACEBACK = 'Traceback (most recent call last):';

export interface RunViewProps {
  host: Host;
  /** The workspace's key. */
  workspace: string;
  run: string;
  /** As the output of a cell. */
  compact?: boolean;
}

type TabKey = 'metrics' | 'log' | 'files' | 'code' | 'details' | 'system';

export function RunView({ host, workspace, run, compact = false }: RunViewProps) {
  const model = useRun(host, workspace, run);
  const fault = model?.fault.value ?? null;
  const deleted = model?.deleted.value ?? false;
  const told = model?.document.value ?? null;
  // Of a run that is gone, what is known of it stays; nothing can be done with it.
  const document = told && (fault || deleted) ? { ...told, can: [] } : told;
  return (
    <article
      class={`amlnb-view amlnb-run${compact ? ' amlnb-run-compact' : ''}`}
      data-amlnb-run={run}
      data-amlnb-state={document?.state ?? ''}
    >
      <LostNotice host={host} />
      {deleted ? (
        <p class="amlnb-reason" role="status">
          {transOf(host)('You deleted this run. What stands here is no longer on the disk.')}
        </p>
      ) : fault ? (
        <FaultBox fault={fault} />
      ) : null}
      {model && document ? (
        compact ? (
          <CompactRun host={host} model={model} run={document} />
        ) : (
          <WholeRun host={host} model={model} run={document} />
        )
      ) : fault ? null : (
        <div class="amlnb-loading" role="status" aria-label={transOf(host)('Loading')} />
      )}
    </article>
  );
}

interface ShownRun {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

function CompactRun({ host, model, run }: ShownRun) {
  const trans = transOf(host);
  return (
    <>
      <RunHeader host={host} model={model} run={run} compact />
      {run.state === 'Failed' ? <Failure run={run} compact trans={trans} /> : null}
      <CompactCharts host={host} model={model} run={run} />
      <LogTail host={host} model={model} count={TAIL_LINES} before={run.failure ? TRACEBACK : null} />
    </>
  );
}

function WholeRun({ host, model, run }: ShownRun) {
  const trans = transOf(host);
  const remembered = host.remember<{ run: string; tab: TabKey }>('run-tab');
  const tab = useSignal<TabKey>(firstTab(remembered.get(), model, run));
  const shown = { host, model, run };
  const tabs: Tab<TabKey>[] = [
    { key: 'metrics', title: trans('Metrics'), content: () => <MetricsPanel {...shown} /> },
    { key: 'log', title: trans('Log'), content: () => <LogView host={host} model={model} /> },
    { key: 'files', title: trans('Files'), content: () => <FilesPanel {...shown} /> },
    { key: 'code', title: trans('Code'), content: () => <CodePanel {...shown} /> },
    { key: 'details', title: trans('Details'), content: () => <DetailsPanel {...shown} /> },
    { key: 'system', title: trans('System'), content: () => <SystemPanel {...shown} /> }
  ];
  return (
    <>
      <RunHeader host={host} model={model} run={run} compact={false} />
      {run.state === 'Failed' ? <Failure run={run} compact={false} trans={trans} /> : null}
      <Warnings warnings={run.warnings} trans={trans} />
      <Tabs
        label={trans('Parts of the run')}
        chosen={tab.value}
        onChoose={key => {
          tab.value = key;
          remembered.set({ run: run.id, tab: key });
        }}
        tabs={tabs}
      />
    </>
  );
}

/** The tab that is shown at first: the one that was looked at last, if it was of this run; of one that ended without a metric, its log. */
function firstTab(last: { run: string; tab: TabKey } | undefined, model: RunModel, run: RunDocument): TabKey {
  if (last?.run === run.id) {
    return last.tab;
  }
  const bare = model.ended.peek() && Object.keys(run.metrics).length === 0 && model.names.peek().length === 0;
  return bare && run.log.bytes > 0 ? 'log' : 'metrics';
}

/** Follow a run as long as the component is there. */
function useRun(host: Host, workspace: string, run: string): RunModel | null {
  const [model, setModel] = useState<RunModel | null>(null);
  useEffect(() => {
    const [followed, release] = sessionOf(host).follow(workspace, run);
    setModel(followed);
    return release;
  }, [host, workspace, run]);
  return model?.run === run ? model : null;
}
