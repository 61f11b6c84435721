/** Runs beside each other: their curves, what differs, their code, and plots over their parameters. */

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';

import { toldFault } from '../core/client';
import { curveStyle } from '../core/colours';
import type { Comparison, Fault } from '../core/contract';
import { axesOf } from '../core/differences';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { CompareCode } from './compare_code';
import { CompareCurves } from './compare_curves';
import { DifferenceTable } from './difference_table';
import { Parallel } from './parallel';
import { Scatter } from './scatter';
import { StateMark } from './state_mark';
import { Tabs } from './tabs';
import { transOf } from './trans';

export interface CompareProps {
  host: Host;
  workspace: string;
  runs: readonly string[];
}

export function Compare({ host, workspace, runs }: CompareProps) {
  const [left, setLeft] = useState<readonly string[]>(runs);
  const { answer, fault } = useComparison(host, workspace, left);
  const tab = useSignal('curves');
  const trans = transOf(host);
  const axes = useMemo(() => axesOf(answer?.runs ?? []), [answer]);
  const open = (position: number): void => {
    const run = answer?.runs[position];
    if (run !== undefined) {
      host.open({ view: 'run', workspace, run: run.id });
    }
  };
  if (fault !== null) {
    return (
      <div class="amlnb-view amlnb-compare">
        <p class="amlnb-fault" role="alert">
          {fault.message}
          {fault.hint === null ? null : <span class="amlnb-faint"> {fault.hint}</span>}
        </p>
      </div>
    );
  }
  if (answer === null) {
    return (
      <div class="amlnb-view amlnb-compare">
        <p class="amlnb-empty">{trans('Reading %1 runs …', left.length)}</p>
      </div>
    );
  }
  const labels = answer.runs.map(run => run.label);
  return (
    <div class="amlnb-view amlnb-compare" data-amlnb-compare={labels.length}>
      <ul class="amlnb-legend" aria-label={trans('Compared runs')}>
        {answer.runs.map((run, position) => (
          <li key={run.id}>
            <span class="amlnb-swatch" style={{ background: curveStyle(position).colour }} aria-hidden="true" />
            <StateMark state={run.state} trans={trans} compact />
            <button type="button" class="amlnb-link" title={run.id} onClick={() => open(position)}>
              {run.label}
            </button>
            {answer.runs.length > 2 ? (
              <button
                type="button"
                class="amlnb-icon-button"
                aria-label={trans('Leave %1 out', run.label)}
                title={trans('Leave it out')}
                onClick={() => setLeft(left.filter(id => id !== run.id))}
              >
                ×
              </button>
            ) : null}
          </li>
        ))}
      </ul>
      <Tabs
        label={trans('Comparison')}
        chosen={tab.value}
        onChoose={key => {
          tab.value = key;
        }}
        tabs={[
          {
            key: 'curves',
            title: trans('Curves'),
            content: () => <CompareCurves host={host} workspace={workspace} runs={answer.runs} />
          },
          {
            key: 'values',
            title: trans('Differences'),
            content: () => <DifferenceTable runs={answer.runs} trans={trans} onOpen={open} />
          },
          {
            key: 'code',
            title: trans('Code'),
            content: () => <CompareCode key={left.join(' ')} host={host} workspace={workspace} runs={answer.runs} />
          },
          {
            key: 'parallel',
            title: trans('Parallel'),
            content: () => <Parallel axes={axes} labels={labels} trans={trans} onOpen={open} />
          },
          {
            key: 'scatter',
            title: trans('Scatter'),
            content: () => <Scatter axes={axes} labels={labels} trans={trans} onOpen={open} />
          }
        ]}
      />
    </div>
  );
}

/** The comparison, read anew when one of its runs has changed its state. */
function useComparison(
  host: Host,
  workspace: string,
  runs: readonly string[]
): { answer: Comparison | null; fault: Fault | null } {
  const [answer, setAnswer] = useState<Comparison | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  useEffect(() => {
    const { client, stream } = sessionOf(host);
    let current = true;
    const states = new Map<string, string>();
    const read = async (): Promise<void> => {
      try {
        const found = await client.compare(workspace, runs);
        if (current) {
          found.runs.forEach(run => states.set(run.id, run.state));
          setAnswer(found);
          setFault(null);
        }
      } catch (error) {
        if (current) {
          setFault(toldFault(error));
        }
      }
    };
    void read();
    const unwatch = stream.watch(workspace, {
      onBegin: () => undefined,
      onGone: () => undefined,
      onRuns: changed => {
        if (changed.some(run => states.has(run.id) && states.get(run.id) !== run.state)) {
          void read();
        }
      }
    });
    return () => {
      current = false;
      unwatch();
    };
  }, [host, workspace, runs]);
  return { answer, fault };
}
