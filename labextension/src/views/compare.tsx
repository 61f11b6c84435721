/** Runs beside each other: their curves, what differs, their code, and plots over their parameters. */

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { Comparison } from '../core/contract';
import { axesOf } from '../core/differences';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { CompareCode } from './compare_code';
import { CompareCurves } from './compare_curves';
import { DifferenceTable } from './difference_table';
import { FaultBox } from './fault_box';
import { LostNotice } from './lost_notice';
import { Parallel } from './parallel';
import { Scatter } from './scatter';
import { StateMark } from './state_mark';
import { Tabs } from './tabs';
import { transOf } from './trans';
import { useAnswer, type Answered } from './use_answer';

export interface CompareProps {
  host: Host;
  workspace: string;
  runs: readonly string[];
}

export function Compare({ host, workspace, runs }: CompareProps) {
  const [left, setLeft] = useState<readonly string[]>(runs);
  const { answer, fault, again } = useComparison(host, workspace, left);
  const tab = useSignal('curves');
  const trans = transOf(host);
  const axes = useMemo(() => axesOf(answer?.runs ?? []), [answer]);
  const open = (position: number): void => {
    const run = answer?.runs[position];
    if (run !== undefined) {
      host.open({ view: 'run', workspace, run: run.id });
    }
  };
  if (answer === null) {
    return (
      <div class="amlnb-view amlnb-compare">
        {fault === null ? (
          <p class="amlnb-empty">{trans('Reading %1 runs …', left.length)}</p>
        ) : (
          <FaultBox fault={fault} again={again} trans={trans} />
        )}
      </div>
    );
  }
  const labels = answer.runs.map(run => run.label);
  return (
    <div class="amlnb-view amlnb-compare" data-amlnb-compare={labels.length}>
      <LostNotice host={host} />
      {fault === null ? null : <FaultBox fault={fault} again={again} trans={trans} />}
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

/** The comparison, read anew when one of its runs is gone or has changed its state, also while the connection was broken. */
function useComparison(host: Host, workspace: string, runs: readonly string[]): Answered<Comparison> {
  const [version, setVersion] = useState(0);
  const asked = useAnswer(() => sessionOf(host).client.compare(workspace, runs), [host, workspace, runs], { version });
  const compared = useRef(new Map<string, string | undefined>());
  const states = asked.answer?.runs.map(run => [run.id, run.state] as const) ?? [];
  compared.current = new Map([...runs.map(id => [id, undefined] as const), ...states]);
  useEffect(() => {
    const renew = (): void => setVersion(before => before + 1);
    return sessionOf(host).stream.watch(workspace, {
      onBegin: renew,
      onGone: () => undefined,
      onRuns: (changed, removed) => {
        const { current } = compared;
        if (
          changed.some(run => current.has(run.id) && current.get(run.id) !== run.state) ||
          removed.some(id => current.has(id))
        ) {
          renew();
        }
      }
    });
  }, [host, workspace]);
  return asked;
}
