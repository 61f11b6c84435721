/** Runs by the values of one column: how many there are, and the mean and range of each metric. */

import type { Groups } from '../core/contract';
import { formatNumber, toNumber } from '../core/format';
import { queryOf } from '../core/grouped_runs';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { FaultBox } from './fault_box';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

export interface GroupTableProps {
  host: Host;
  workspace: string;
  /** The column, as the contract names it. */
  by: string;
  /** What it is called. */
  title: string;
  metrics: readonly string[];
  question: { experiment: string | undefined; query: string; search: string; archived: boolean };
  /** Changes when the runs have. */
  version: number;
}

export function GroupTable({ host, workspace, by, title, metrics, question, version }: GroupTableProps) {
  const { experiment, query, search, archived } = question;
  const asked = { by, experiment, query: query || undefined, search: search || undefined, archived };
  const {
    answer: groups,
    fault,
    again
  } = useAnswer(
    () => sessionOf(host).client.groups(workspace, asked),
    [host, workspace, by, experiment, query, search, archived],
    { version }
  );

  if (fault !== null) {
    return <FaultBox fault={fault} again={again} trans={transOf(host)} />;
  }
  if (groups?.by !== by) {
    return <p class="amlnb-empty">{host.trans('Reading the runs …')}</p>;
  }
  return (
    <div class="amlnb-scroll-x amlnb-groups">
      <table class="amlnb-values">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col">{host.trans('Runs')}</th>
            {metrics.map(metric => (
              <th key={metric} scope="col">
                {metric}
                <div class="amlnb-faint amlnb-values-note">{host.trans('mean, low … high')}</div>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.groups.map(group => (
            <tr key={group.value ?? '\0'}>
              <th scope="row">
                {search === '' ? (
                  <button
                    type="button"
                    class="amlnb-link"
                    onClick={() =>
                      host.open({ view: 'runs', workspace, query: queryOf(by, group.value, { experiment, query }) })
                    }
                  >
                    {group.value ?? host.trans('not set')}
                  </button>
                ) : (
                  // No query finds what words were found in.
                  (group.value ?? host.trans('not set'))
                )}
              </th>
              <td>
                {group.runs}{' '}
                {group.runs > 1 ? (
                  <button
                    type="button"
                    class="amlnb-link"
                    onClick={() => host.open({ view: 'compare', workspace, runs: group.ids.slice(0, 50) })}
                  >
                    {host.trans('compare')}
                  </button>
                ) : null}
              </td>
              {metrics.map(metric => (
                <td key={metric}>
                  <Range values={group.metrics[metric]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Range({ values }: { values: Groups['groups'][number]['metrics'][string] | undefined }) {
  if (values === undefined || values.count === 0) {
    return <span class="amlnb-faint">–</span>;
  }
  const [mean, low, high] = [values.mean, values.low, values.high].map(value => formatNumber(toNumber(value)));
  return (
    <>
      {mean}
      {values.count > 1 ? (
        <span class="amlnb-faint">
          {' '}
          {low} … {high}
        </span>
      ) : null}
    </>
  );
}
