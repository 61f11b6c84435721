/** What a run logged that is no curve: texts, tables, pictures. */

import type { LoggedValue } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { DataTable } from './data_table';
import { FaultBox } from './fault_box';
import { FilePicture } from './run_file';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

const EVERY_MS = 10_000;

export function LoggedValues({ host, model }: { host: Host; model: RunModel }) {
  const trans = transOf(host);
  const ended = model.ended.value;
  const { answer, fault, again } = useAnswer(() => model.client.metrics(model.workspace, model.run), [model], {
    version: ended,
    everyMs: ended ? undefined : EVERY_MS
  });
  if (fault) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  const logged = answer?.logged ?? [];
  if (logged.length === 0) {
    return null;
  }
  return (
    <section class="amlnb-logged" aria-label={trans('Logged values')}>
      {logged.map(value => (
        <article key={value.name} class="amlnb-card">
          <h3>{value.name}</h3>
          <Value value={value} host={host} model={model} />
        </article>
      ))}
    </section>
  );
}

function Value({ value, host, model }: { value: LoggedValue; host: Host; model: RunModel }) {
  switch (value.kind) {
    case 'text':
      return (
        <ul class="amlnb-texts">
          {value.values.map((text, at) => (
            <li key={at}>{text}</li>
          ))}
        </ul>
      );
    case 'table':
      return <DataTable label={value.name} {...value} note={null} trans={transOf(host)} />;
    default:
      return <FilePicture host={host} model={model} name={value.file} alt={value.name} />;
  }
}
