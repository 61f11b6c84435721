/** Runs by the values of one column: how many there are, and the mean and range of each metric. */

import { useEffect, useState } from 'preact/hooks';

import { toldFault } from '../core/client';
import type { Fault, Groups } from '../core/contract';
import { formatNumber, toNumber } from '../core/format';
import { queryOf } from '../core/grouped_runs';
import type { Host } from '../core/host';
import { sessionOf } from '../core/session';

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

const SETTLE_MS = 500;

export function GroupTable({ host, workspace, by, title, metrics, question, version }: GroupTableProps) {
  const [groups, setGroups] = useState<Groups | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const { experiment, query, search, archived } = question;
  useEffect(() => {
    let current = true;
    const asked = { by, experiment, query: query || undefined, search: search || undefined, archived };
    const read = async (): Promise<void> => {
      try {
        const answer = await sessionOf(host).client.groups(workspace, asked);
        if (current) {
          setGroups(answer);
          setFault(null);
        }
      } catch (error) {
        if (current) {
          setFault(toldFault(error));
        }
      }
    };
    const timer = setTimeout(() => void read(), groups?.by === by ? SETTLE_MS : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [host, workspace, by, experiment, query, search, archived, version]);

  if (fault !== null) {
    return (
      <p class="amlnb-fault" role="alert">
        {fault.message}
        {fault.hint === null ? null : <span class="amlnb-faint"> {fault.hint}</span>}
      </p>
    );
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
