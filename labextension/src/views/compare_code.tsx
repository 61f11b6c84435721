/** How the code of two of the compared runs differs. */

import { useState } from 'preact/hooks';

import type { Comparison } from '../core/contract';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { DiffFiles } from './diff_files';
import { FaultBox } from './fault_box';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

export interface CompareCodeProps {
  host: Host;
  workspace: string;
  /** Two or more; the first two are compared until others are chosen. */
  runs: Comparison['runs'];
}

export function CompareCode({ host, workspace, runs }: CompareCodeProps) {
  const [[from, to], setPair] = useState<readonly [string, string]>([runs[0]?.id ?? '', runs[1]?.id ?? '']);
  const { answer, fault } = useAnswer(
    () => sessionOf(host).client.codeDiff(workspace, from, to),
    [host, workspace, from, to]
  );
  const trans = transOf(host);
  const choice = (title: string, value: string, choose: (id: string) => void) => (
    <label class="amlnb-check">
      {title}
      <select value={value} onChange={event => choose(event.currentTarget.value)}>
        {runs.map(run => (
          <option key={run.id} value={run.id}>
            {run.label}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div>
      <div class="amlnb-row">
        {choice(trans('From'), from, id => setPair([id, to]))}
        {choice(trans('to'), to, id => setPair([from, id]))}
      </div>
      {fault !== null ? (
        <FaultBox fault={fault} />
      ) : answer === null ? (
        <div class="amlnb-loading" />
      ) : (
        <DiffFiles diff={answer} trans={trans} />
      )}
    </div>
  );
}
