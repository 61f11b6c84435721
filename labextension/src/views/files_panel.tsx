/** The files of a run, with a look into each. */

import { useSignal } from '@preact/signals';

import type { Files, RunDocument } from '../core/contract';
import { formatClock, formatSize } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { DataTable } from './data_table';
import { Warnings } from './failure';
import { FaultBox } from './fault_box';
import { Icon } from './icons';
import { LogView } from './log_view';
import { FileLink, FilePicture } from './run_file';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

const EVERY_MS = 5000;
const USER_LOG = 'user_logs/std_log.txt';
/** Names of pictures, tables and texts. */
const SEEN = /\.(png|jpe?g|gif|bmp|webp|csv|tsv|parquet|npy|json|txt|md|log|ya?ml|html)$/i;
const DRIVER_LOG = 'azureml-logs/70_driver_log.txt';

export interface FilesPanelProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

export function FilesPanel({ host, model, run }: FilesPanelProps) {
  const trans = transOf(host);
  const chosen = useSignal<string | null>(null);
  const { answer, fault, again } = useAnswer(() => model.client.files(model.workspace, model.run), [model], {
    version: run.state,
    everyMs: model.ended.value ? undefined : EVERY_MS
  });
  if (!answer) {
    return fault ? <FaultBox fault={fault} again={again} trans={trans} /> : <div class="amlnb-loading" />;
  }
  if (answer.files.length === 0) {
    return <p class="amlnb-empty">{trans('No file yet: what the script writes to outputs/ stands here.')}</p>;
  }
  const files = withoutAliases(answer.files);
  const name = chosen.value ?? firstOf(files);
  const file = files.find(each => each.name === name) ?? null;
  return (
    <>
      <Warnings warnings={answer.warnings} trans={trans} />
      <div class="amlnb-split">
        <ul class="amlnb-list" aria-label={trans('Files')}>
          {files.map(file => (
            <li key={file.name}>
              <button
                type="button"
                class="amlnb-list-item"
                aria-current={file.name === name}
                title={`${file.name}\n${formatClock(file.modified, true)}`}
                onClick={() => {
                  chosen.value = file.name;
                }}
              >
                <span class="amlnb-path">{file.name}</span>
                <span class="amlnb-faint amlnb-number">{formatSize(file.bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
        {file === null ? null : isLog(file.name) ? (
          <LogView key={file.name} host={host} model={model} file={file.name} />
        ) : (
          <FilePreview key={file.name} host={host} model={model} file={file} />
        )}
      </div>
    </>
  );
}

/** Whether a file is read as a log: as long as it may be, with its colours. */
function isLog(name: string): boolean {
  return /^(azureml-logs|user_logs|system_logs|logs)\/.*\.(txt|log)$/.test(name);
}

/** The log has a second name, which scripts of AzureML ask for: it is not shown twice. */
function withoutAliases(files: Files['files']): Files['files'] {
  return files.some(({ name }) => name === USER_LOG) ? files.filter(({ name }) => name !== DRIVER_LOG) : files;
}

/** The file that is shown at first: an output, if possible one that can be seen. */
function firstOf(files: Files['files']): string | null {
  const outputs = files.filter(({ name }) => name.startsWith('outputs/'));
  const [first] = [...outputs.filter(({ name }) => SEEN.test(name)), ...outputs, ...files];
  return first?.name ?? null;
}

function FilePreview({ host, model, file }: { host: Host; model: RunModel; file: Files['files'][number] }) {
  const trans = transOf(host);
  const { client, workspace, run } = model;
  const { name } = file;
  const written = `${file.bytes} ${file.modified}`;
  const { answer, fault, again } = useAnswer(() => client.preview(workspace, run, name), [model, name], {
    version: written
  });
  return (
    <section class="amlnb-preview" aria-label={name}>
      <div class="amlnb-preview-head">
        <h3 class="amlnb-path">{name}</h3>
        <FileLink host={host} model={model} name={name} class="amlnb-button">
          <Icon name="save" />
          {trans('Download')}
        </FileLink>
      </div>
      {fault ? <FaultBox fault={fault} again={again} trans={trans} /> : null}
      {answer?.kind === 'image' ? <FilePicture {...{ host, model, name, written }} alt={name} /> : null}
      {answer?.kind === 'table' ? <DataTable label={name} {...answer} trans={trans} /> : null}
      {answer?.kind === 'text' ? (
        <pre class="amlnb-code" tabIndex={0}>
          {answer.text}
          {answer.truncated ? `\n… ${trans('download it to see the rest')}` : ''}
        </pre>
      ) : null}
      {answer?.kind === 'none' ? <p class="amlnb-empty">{answer.note}</p> : null}
    </section>
  );
}
