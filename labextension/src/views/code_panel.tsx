/** The code as it was submitted, and how it differs from what is there now or from another run's. */

import { useSignal } from '@preact/signals';

import type { RunDocument } from '../core/contract';
import { formatSize } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { DiffFiles } from './diff_files';
import { FaultBox } from './fault_box';
import { transOf, type Trans } from './trans';
import { useAnswer } from './use_answer';

export interface CodePanelProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

/** What the code is held against: nothing, the present files, or a run by its id. */
type Against = '' | 'present' | (string & {});

export function CodePanel({ host, model, run }: CodePanelProps) {
  const trans = transOf(host);
  const chosen = useSignal<string | null>(null);
  const against = useSignal<Against>('');
  const { answer, fault, again } = useAnswer(() => model.client.code(model.workspace, model.run), [model]);
  if (!answer) {
    return fault ? <FaultBox fault={fault} again={again} trans={trans} /> : <div class="amlnb-loading" />;
  }
  if (answer.unknown) {
    return <p class="amlnb-empty">{answer.unknown}</p>;
  }
  const files = [...answer.files].sort((a, b) => Number(b.path === answer.entry) - Number(a.path === answer.entry));
  const path = chosen.value ?? files[0]?.path ?? null;
  return (
    <>
      <AgainstChoice
        host={host}
        model={model}
        run={run}
        against={against.value}
        onChoose={id => (against.value = id)}
      />
      {against.value ? (
        <Difference key={against.value} model={model} against={against.value} trans={trans} />
      ) : (
        <div class="amlnb-split">
          <ul class="amlnb-list" aria-label={trans('Files of the snapshot')}>
            {files.map(file => (
              <li key={file.path}>
                <button
                  type="button"
                  class="amlnb-list-item"
                  aria-current={file.path === path}
                  title={file.path}
                  onClick={() => {
                    chosen.value = file.path;
                  }}
                >
                  <span class="amlnb-path">{file.path}</span>
                  <span class="amlnb-faint amlnb-number">{formatSize(file.bytes)}</span>
                </button>
              </li>
            ))}
          </ul>
          {path === null ? null : <CodeFile key={path} model={model} path={path} trans={trans} />}
        </div>
      )}
    </>
  );
}

function CodeFile({ model, path, trans }: { model: RunModel; path: string; trans: Trans }) {
  const { client, workspace, run } = model;
  const { answer, fault, again } = useAnswer(() => client.codeText(workspace, run, path), [model, path]);
  if (fault) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  const lines = answer?.text.replace(/\n$/, '').split('\n') ?? [];
  return (
    <section class="amlnb-preview" aria-label={path}>
      <pre class="amlnb-code amlnb-numbered" tabIndex={0}>
        {lines.map((line, at) => (
          <code key={at}>{`${line}\n`}</code>
        ))}
      </pre>
      {answer?.truncated ? <p class="amlnb-faint">{trans('The rest of the file is not shown.')}</p> : null}
    </section>
  );
}

interface AgainstChoiceProps extends CodePanelProps {
  against: Against;
  onChoose: (against: Against) => void;
}

function AgainstChoice({ host, model, run, against, onChoose }: AgainstChoiceProps) {
  const trans = transOf(host);
  const asked = { experiment: run.experiment, sort: 'created', descending: true, limit: 50 };
  const { answer } = useAnswer(() => model.client.runs(model.workspace, asked), [model, run.experiment]);
  const others = answer?.runs.filter(({ id }) => id !== run.id) ?? [];
  return (
    <div class="amlnb-toolbar">
      <label class="amlnb-choice">
        <span>{trans('Show')}</span>
        <select class="amlnb-input" value={against} onChange={event => onChoose(event.currentTarget.value)}>
          <option value="">{trans('the code as submitted')}</option>
          <option value="present">{trans('what differs from the files as they are now')}</option>
          {others.map(({ id, name, number }) => (
            <option key={id} value={id}>
              {trans('what differs from run %1 (%2)', number, name ?? id)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Difference({ model, against, trans }: { model: RunModel; against: Against; trans: Trans }) {
  const { answer, fault, again } = useAnswer(
    () => model.client.codeDiff(model.workspace, model.run, against),
    [model, against]
  );
  if (fault) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  return answer ? <DiffFiles diff={answer} trans={trans} /> : <div class="amlnb-loading" />;
}
