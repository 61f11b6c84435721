/** Everything else about a run: what went in, where it ran, what led to it and what it led to. */

import type { RunDocument } from '../core/contract';
import { formatClock, formatDuration } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { StateMark } from './state_mark';
import { Tags } from './tags';
import { transOf, type Trans } from './trans';
import { useAnswer } from './use_answer';

const EVERY_MS = 5000;

export interface DetailsPanelProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

export function DetailsPanel({ host, model, run }: DetailsPanelProps) {
  const trans = transOf(host);
  return (
    <div class="amlnb-details">
      <Pairs title={trans('Parameters')} pairs={run.parameters} empty={trans('none were given')} />
      <section class="amlnb-card" aria-label={trans('Tags')}>
        <h3>{trans('Tags')}</h3>
        <Tags host={host} model={model} run={run} />
      </section>
      <Pairs title={trans('Run')} pairs={factsOf(run, trans)} />
      <Pairs title={trans('Environment')} pairs={run.environment} empty={trans('that of the target')} />
      <Pairs title={trans('Git')} pairs={run.git} empty={trans('not submitted from a repository')} />
      <Pairs title={trans('Properties')} pairs={withoutGit(run.properties)} />
      {run.children > 0 ? <Children host={host} model={model} run={run} /> : null}
    </div>
  );
}

function factsOf(run: RunDocument, trans: Trans): Record<string, string> {
  const when = (time: number | null): string => (time === null ? '' : formatClock(time, true));
  const facts: Record<string, string | null> = {
    id: run.id,
    experiment: run.experiment,
    script: run.script,
    command: run.command,
    target: run.target,
    host: run.host,
    created: when(run.created),
    started: when(run.started),
    ended: when(run.ended),
    parent: run.parent
  };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value ? [[trans(name), value] as const] : []))
  );
}

/** What git says has a card of its own; properties tell it once more, by the names of AzureML and MLflow. */
function withoutGit(properties: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).filter(([name]) => !/^(azureml|mlflow\.source)\.git\./.test(name))
  );
}

interface PairsProps {
  title: string;
  pairs: Record<string, string>;
  /** Said where there is nothing; left out, nothing is shown then. */
  empty?: string;
}

function Pairs({ title, pairs, empty }: PairsProps) {
  const entries = Object.entries(pairs);
  if (entries.length === 0 && empty === undefined) {
    return null;
  }
  return (
    <section class="amlnb-card" aria-label={title}>
      <h3>{title}</h3>
      {entries.length === 0 ? (
        <p class="amlnb-faint">{empty}</p>
      ) : (
        <table class="amlnb-pairs">
          <tbody>
            {entries.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="amlnb-value">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Children({ host, model, run }: DetailsPanelProps) {
  const trans = transOf(host);
  const asked = { parent: run.id, sort: 'created', limit: 200 };
  const { answer } = useAnswer(() => model.client.runs(model.workspace, asked), [model], {
    version: `${run.children} ${run.state}`,
    everyMs: model.ended.value ? undefined : EVERY_MS
  });
  return (
    <section class="amlnb-card" aria-label={trans('Children')}>
      <h3>{trans('Children (%1)', run.children)}</h3>
      <ul class="amlnb-list">
        {answer?.runs.map(child => (
          <li key={child.id}>
            <button
              type="button"
              class="amlnb-list-item"
              onClick={() => host.open({ view: 'run', workspace: model.workspace, run: child.id })}
            >
              <StateMark state={child.state} trans={trans} compact />
              <span class="amlnb-path">{child.name ?? child.id}</span>
              <span class="amlnb-faint amlnb-number">
                {child.elapsed_s === null ? '' : formatDuration(child.elapsed_s)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
