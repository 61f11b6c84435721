import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { type INotebookTracker, NotebookActions } from '@jupyterlab/notebook';

import { toldFault } from '../core/client';
import type { Choices, NotebookParameters, Submission, Submitted } from '../core/contract';
import { sessionOf } from '../core/session';
import { MAGIC } from '../views/run_columns';
import { SUBMIT_CELL, SUBMIT_FILE } from './commands';
import type { LabHost } from './host';
import { submitIcon } from './icons';
import { askHow, type Form } from './submit_form';

const NOTHING: Choices = { targets: [{ name: 'local', type: 'local' }], environments: [], experiments: [] };

/** "Submit this cell", "Submit notebook" and "Submit script". */
export function addSubmission(
  app: JupyterFrontEnd,
  host: LabHost,
  notebooks: INotebookTracker,
  files: IDefaultFileBrowser | null
): void {
  app.commands.addCommand(SUBMIT_CELL, {
    label: host.trans('Submit this cell'),
    caption: host.trans('Make a run of the selected cell'),
    icon: submitIcon,
    describedBy: { args: null },
    isEnabled: () => notebooks.activeCell?.model.type === 'code',
    execute: () => submitCell(host, notebooks)
  });
  app.commands.addCommand(SUBMIT_FILE, {
    label: () =>
      selectedFile(files, notebooks)?.endsWith('.ipynb') ? host.trans('Submit notebook') : host.trans('Submit script'),
    caption: host.trans('Make a run of this file'),
    icon: submitIcon,
    describedBy: { args: null },
    isEnabled: () => selectedFile(files, notebooks) !== null,
    execute: () => submitFile(host, selectedFile(files, notebooks))
  });
}

async function submitCell(host: LabHost, notebooks: INotebookTracker): Promise<void> {
  const panel = notebooks.currentWidget;
  const model = panel?.content.activeCell?.model;
  if (panel === null || model === undefined || model.type !== 'code') {
    return;
  }
  const { sharedModel } = model;
  if (!sharedModel.getSource().trimStart().startsWith(MAGIC)) {
    const choices = await choicesOf(host, folderOf(panel.context.path));
    const form = await askHow(host, host.trans('Submit this cell'), { kind: 'cell', choices });
    if (form === null) {
      return;
    }
    sharedModel.setSource(`${magicLine(form)}\n${sharedModel.getSource()}`);
  }
  // Does nothing where it is loaded.
  const kernel = panel.sessionContext.session?.kernel;
  await kernel?.requestExecute({ code: '%load_ext amlnb', silent: true, store_history: false }).done;
  await NotebookActions.run(panel.content, panel.sessionContext);
}

/** The magic's line for what a person chose. */
export function magicLine(form: Form): string {
  const words = [MAGIC];
  if (form.name !== '') {
    words.push(quoted(form.name));
  }
  if (form.experiment !== '') {
    words.push('--experiment', quoted(form.experiment));
  }
  if (form.target !== '' && form.target !== 'local') {
    words.push('--target', quoted(form.target));
  }
  if (form.environment !== '') {
    words.push('--env', quoted(form.environment));
  }
  return words.join(' ');
}

function quoted(word: string): string {
  return /^[\w.,:=+@/~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

async function submitFile(host: LabHost, path: string | null): Promise<void> {
  if (path === null) {
    return;
  }
  const { client } = sessionOf(host);
  const notebook = path.endsWith('.ipynb');
  try {
    const parameters = notebook
      ? (await client.get<NotebookParameters>(`parameters?path=${encodeURIComponent(path)}`)).parameters
      : [];
    const title = notebook ? host.trans('Submit notebook') : host.trans('Submit script');
    const choices = await choicesOf(host, folderOf(path));
    const kind = notebook ? 'notebook' : 'script';
    const form = await askHow(host, `${title}: ${path}`, { kind, choices, parameters });
    if (form === null) {
      return;
    }
    const submission: Submission = { path };
    if (notebook) {
      submission.parameters = form.parameters;
    }
    if (form.arguments !== '') {
      submission.arguments = form.arguments;
    }
    if (form.target !== '') {
      submission.target = form.target;
    }
    if (form.environment !== '') {
      submission.environment = form.environment;
    }
    if (form.experiment !== '') {
      submission.experiment = form.experiment;
    }
    const { workspace, run } = await client.send<Submitted>('POST', 'submissions', submission);
    host.open({ view: 'run', workspace, run });
  } catch (error) {
    const { message, hint } = toldFault(error);
    Notification.error(hint === null ? message : `${message}\n${hint}`, { autoClose: false });
  }
}

async function choicesOf(host: LabHost, folder: string): Promise<Choices> {
  try {
    return await sessionOf(host).client.get<Choices>(`choices?folder=${encodeURIComponent(folder)}`);
  } catch {
    return NOTHING; // The form does without; the submission says what is wrong.
  }
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

/** The script or notebook that is meant: chosen in the file browser, else the open notebook. */
function selectedFile(files: IDefaultFileBrowser | null, notebooks: INotebookTracker): string | null {
  for (const { path } of files?.selectedItems() ?? []) {
    return /\.(ipynb|py)$/.test(path) ? path : null;
  }
  return notebooks.currentWidget?.context.path ?? null;
}
