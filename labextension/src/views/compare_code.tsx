/** How the code of two of the compared runs differs. */

import { useState } from 'preact/hooks';

import type { Comparison } from '../core/contract';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { DiffFiles } from './diff_files';
import { FaultBox } from './fault_box';
import { transOf } from './trans';
import { useAnswer } from './use_answer';
import { Choice } from './choice';

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
  const options = runs.map(run => ({ value: run.id, label: run.label }));
  return (
    <div>
      <div class="amlnb-row">
        <Choice title={trans('From')} value={from} options={options} onChoose={id => setPair([id, to])} />
        <Choice title={trans('to')} value={to} options={options} onChoose={id => setPair([from, id])} />
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
