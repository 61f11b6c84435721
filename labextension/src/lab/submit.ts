import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { type INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { toldFault } from '../core/client';
import type { Choices, NotebookParameters, Submission, Submitted } from '../core/contract';
import { sessionOf } from '../core/session';
import { MAGIC } from '../views/run_columns';
import { SUBMIT_CELL, SUBMIT_FILE } from './commands';
import type { LabHost } from './host';
import { submitIcon } from './icons';
import { magicLine } from './magic_line';
import { type Asked, askHow, type Form, type Refused } from './submit_form';

const NOTHING: Choices = { targets: [{ name: 'local', type: 'local' }], environments: [], experiments: [] };

/** Where there may be something to submit. */
interface Places {
  app: JupyterFrontEnd;
  notebooks: INotebookTracker;
  files: IDefaultFileBrowser | null;
}

/** "Submit this cell", "Submit notebook" and "Submit script". */
export function addSubmission(host: LabHost, places: Places): void {
  const { app, notebooks } = places;
  app.commands.addCommand(SUBMIT_CELL, {
    label: host.trans('Submit this cell'),
    caption: host.trans('Make a run of the selected cell'),
    icon: submitIcon,
    describedBy: { args: null },
    isEnabled: () => notebooks.activeCell?.model.type === 'code',
    execute: () => submitCell(host, notebooks)
  });
  app.commands.addCommand(SUBMIT_FILE, {
    label: args =>
      fileMeant(places, args)?.endsWith('.ipynb') ? host.trans('Submit notebook') : host.trans('Submit script'),
    caption: host.trans('Make a run of this file'),
    icon: submitIcon,
    describedBy: { args: { type: 'object', properties: { of: { type: 'string', enum: ['files'] } } } },
    isEnabled: args => fileMeant(places, args) !== null,
    execute: args => submitFile(host, places, fileMeant(places, args))
  });
}

async function submitCell(host: LabHost, notebooks: INotebookTracker): Promise<void> {
  const panel = notebooks.currentWidget;
  const cell = panel?.content.activeCell;
  if (panel === null || cell?.model.type !== 'code') {
    return;
  }
  const { sharedModel } = cell.model;
  if (!sharedModel.getSource().trimStart().startsWith(MAGIC)) {
    const choices = await choicesOf(host, folderOf(host.localPath(panel.context.path)));
    const form = await askHow(host, host.trans('Submit this cell'), { kind: 'cell', choices });
    if (form === null || cell.isDisposed) {
      return;
    }
    sharedModel.setSource(`${magicLine(form)}\n${sharedModel.getSource()}`);
  }
  // Does nothing where it is loaded. The cell waits behind it, and is told to fail if this cannot be.
  const kernel = panel.sessionContext.session?.kernel;
  const loaded = kernel?.requestExecute({ code: '%load_ext amlnb', silent: true, store_history: false });
  loaded?.done.catch(() => undefined);
  await NotebookActions.runCells(panel.content, [cell], panel.sessionContext);
}

async function submitFile(host: LabHost, places: Places, document: string | null): Promise<void> {
  if (document === null) {
    return;
  }
  const path = host.localPath(document);
  const { client } = sessionOf(host);
  const notebook = path.endsWith('.ipynb');
  const title = notebook ? host.trans('Submit notebook') : host.trans('Submit script');
  let parameters: NotebookParameters['parameters'] = [];
  try {
    if (notebook) {
      ({ parameters } = await client.get<NotebookParameters>(`parameters?path=${encodeURIComponent(path)}`));
    }
  } catch (error) {
    const { message, hint } = toldFault(error);
    Notification.error(hint === null ? message : `${message}\n${hint}`, { autoClose: false });
    return;
  }
  const choices = await choicesOf(host, folderOf(path));
  const asked: Asked = { kind: notebook ? 'notebook' : 'script', choices, parameters };
  let before: Refused | null = null;
  for (;;) {
    const form = await askHow(host, `${title}: ${path}`, asked, before);
    if (form === null) {
      return;
    }
    try {
      await save(places, document);
      const { workspace, run } = await client.send<Submitted>(
        'POST',
        'submissions',
        submissionOf(path, form, notebook)
      );
      host.open({ view: 'run', workspace, run });
      return;
    } catch (error) {
      before = { form, fault: toldFault(error) };
    }
  }
}

function submissionOf(path: string, form: Form, notebook: boolean): Submission {
  const { target, environment, experiment, arguments: words, parameters } = form;
  return {
    path,
    ...(target === '' ? {} : { target }),
    ...(environment === '' ? {} : { environment }),
    ...(experiment === '' ? {} : { experiment }),
    ...(words === '' ? {} : { arguments: words }),
    ...(notebook ? { parameters } : {})
  };
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

/** The script or notebook that is meant: what is chosen in the file browser, if its menu asks, else the open document. */
function fileMeant({ app, notebooks, files }: Places, args: ReadonlyPartialJSONObject): string | null {
  const [selected] = files === null ? [] : [...files.selectedItems()];
  const { currentWidget: shown } = app.shell;
  const open =
    notebooks.currentWidget !== null && notebooks.currentWidget === shown
      ? notebooks.currentWidget.context
      : shown === null
        ? undefined
        : files?.model.manager.contextForWidget(shown);
  const path = args['of'] === 'files' ? selected?.path : (open?.path ?? selected?.path);
  return path !== undefined && /\.(ipynb|py)$/.test(path) ? path : null;
}

/** A run is made of what is on the disk: let that be what a person sees. */
async function save({ notebooks, files }: Places, path: string): Promise<void> {
  const manager = files?.model.manager;
  const editor = manager?.findWidget(path);
  const context =
    notebooks.find(panel => panel.context.path === path)?.context ??
    (editor === undefined ? undefined : manager?.contextForWidget(editor));
  if (context?.model.dirty === true) {
    await context.save();
  }
}
