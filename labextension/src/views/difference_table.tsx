/** Values of compared runs side by side; what differs stands out, what is the same can be shown too. */

import { useMemo, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import { differences, type ComparedRun } from '../core/differences';
import type { Trans } from './trans';

export interface DifferenceTableProps {
  runs: readonly ComparedRun[];
  trans: Trans;
  onOpen: (position: number) => void;
}

export function DifferenceTable({ runs, trans, onOpen }: DifferenceTableProps) {
  const [all, setAll] = useState(false);
  const groups = useMemo(() => differences(runs), [runs]);
  const shown = groups
    .map(group => ({ ...group, rows: all ? group.rows : group.rows.filter(row => row.differs) }))
    .filter(group => group.rows.length > 0);
  return (
    <div>
      <label class="amlnb-check">
        <input type="checkbox" checked={all} onChange={event => setAll(event.currentTarget.checked)} />
        {trans('Also what is the same')}
      </label>
      <div class="amlnb-scroll-x">
        <table class="amlnb-values">
          <thead>
            <tr>
              <th scope="col">{trans('Value')}</th>
              {runs.map((run, position) => (
                <th key={run.id} scope="col">
                  <span class="amlnb-swatch" style={{ background: curveStyle(position).colour }} aria-hidden="true" />
                  <button type="button" class="amlnb-link" title={run.id} onClick={() => onOpen(position)}>
                    {run.label}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          {shown.map(group => (
            <tbody key={group.title}>
              <tr>
                <th class="amlnb-values-group" colSpan={runs.length + 1} scope="rowgroup">
                  {trans(group.title)}
                </th>
              </tr>
              {group.rows.map(row => (
                <tr key={row.key} class={all && row.differs ? 'amlnb-mod-differs' : ''}>
                  <th scope="row" title={row.key}>
                    {row.name}
                  </th>
                  {row.values.map((value, position) => (
                    <td key={runs[position]?.id} title={value ?? undefined}>
                      {value === null ? <span class="amlnb-faint">–</span> : value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
      {shown.length === 0 ? <p class="amlnb-empty">{trans('Nothing differs.')}</p> : null}
    </div>
  );
}
