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
  const trans = transOf(host);
  const options = runs.map(run => ({ value: run.id, label: run.label }));
  return (
    <div>
      <div class="amlnb-row">
        <Choice title={trans('From')} value={from} options={options} onChoose={id => setPair([id, to])} />
        <Choice title={trans('to')} value={to} options={options} onChoose={id => setPair([from, id])} />
      </div>
      <Pair key={`${from} ${to}`} host={host} workspace={workspace} from={from} to={to} />
    </div>
  );
}

interface PairProps {
  host: Host;
  workspace: string;
  from: string;
  to: string;
}

function Pair({ host, workspace, from, to }: PairProps) {
  const trans = transOf(host);
  const { answer, fault, again } = useAnswer(
    () => sessionOf(host).client.codeDiff(workspace, from, to),
    [host, workspace, from, to]
  );
  if (fault !== null) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  return answer === null ? <div class="amlnb-loading" /> : <DiffFiles diff={answer} trans={trans} />;
}
