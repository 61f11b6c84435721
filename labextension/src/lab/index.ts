import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { effect } from '@preact/signals';
import { h } from 'preact';

import { sessionOf } from '../core/session';
import { WorkspacesModel } from '../core/workspaces_model';
import { Experiments, noRuns } from '../views/experiments';
import { RunView } from '../views/run_view';
import { transOf } from '../views/trans';
import { SHOW_RUNS, SHOW_SIDEBAR, SUBMIT_CELL, SUBMIT_FILE } from './commands';
import { LabHost } from './host';
import { runsIcon } from './icons';
import { Keeper } from './keeper';
import { Located } from './located';
import { addPlaces } from './places';
import { PreactWidget } from './preact_widget';
import { DETAILS_MIME, DetailsOutput, RUN_MIME, RunOutput } from './run_output';
import { addStatus } from './status';
import { addSubmission } from './submit';
import { type Told, Watcher } from './watcher';

const SIDEBAR = 'amlnb-sidebar';
const CATEGORY = 'amlnb';
/** Before HTML (50), PNG (90) and what else a bundle holds. */
const RANK = 10;

const IHost = new Token<LabHost>('amlnb:IHost', 'JupyterLab as the place where views of runs live.');

const host: JupyterFrontEndPlugin<LabHost> = {
  id: 'amlnb:host',
  description: 'What views of runs ask of JupyterLab.',
  autoStart: true,
  provides: IHost,
  requires: [],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) =>
    new LabHost(app, (translator ?? nullTranslator).load('amlnb'))
};

const outputs: JupyterFrontEndPlugin<void> = {
  id: 'amlnb:outputs',
  description: 'Live views of runs in the outputs of cells.',
  autoStart: true,
  requires: [IHost, IRenderMimeRegistry],
  optional: [INotebookTracker],
  activate: (_, lab: LabHost, rendermime: IRenderMimeRegistry, notebooks: INotebookTracker | null) => {
    const located = new Located(lab);
    const keeper = notebooks === null ? null : new Keeper(lab, notebooks);
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [RUN_MIME],
        createRenderer: options =>
          new RunOutput(
            options,
            located,
            (workspace, run) => h(RunView, { host: lab, workspace: workspace.key, run, compact: true }),
            (output, workspace, run) => {
              const [model, release] = sessionOf(lab).follow(workspace.key, run);
              lab.attached.value = workspace.key;
              void keeper?.keep(output, workspace.key, run, () => model.document.peek()?.state ?? '');
              return release;
            }
          )
      },
      RANK
    );
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [DETAILS_MIME],
        createRenderer: options => new DetailsOutput(options, located, () => htmlRenderer(rendermime, options))
      },
      RANK
    );
  }
};

const places: JupyterFrontEndPlugin<void> = {
  id: 'amlnb:places',
  description: 'Runs, tables of runs and comparisons as tabs; experiments in the sidebar.',
  autoStart: true,
  requires: [IHost],
  optional: [ILayoutRestorer, ICommandPalette, IDefaultFileBrowser, INotebookTracker, IStatusBar, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    lab: LabHost,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    files: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
    bar: IStatusBar | null,
    settings: ISettingRegistry | null
  ) => {
    addPlaces(app, lab, restorer);
    const workspaces = new WorkspacesModel(sessionOf(lab).client);
    const folder = (): string => lab.localPath(folderShown(notebooks, files));
    const look = (): void => void workspaces.look(folder());
    void app.restored.then(look);
    notebooks?.currentChanged.connect(look);
    files?.model.pathChanged.connect(look);

    const sidebar = new PreactWidget(() => h(Experiments, { host: lab, workspaces }));
    sidebar.id = SIDEBAR;
    sidebar.title.icon = runsIcon;
    sidebar.title.caption = lab.trans('Runs');
    sidebar.node.setAttribute('role', 'region');
    sidebar.node.setAttribute('aria-label', lab.trans('Runs'));
    app.shell.add(sidebar, 'left', { rank: 350 });
    restorer?.add(sidebar, SIDEBAR);
    NotebookActions.executed.connect(() => {
      if (!workspaces.found) {
        look(); // The cell may have made the first run, and the workspace with it.
      }
    });
    effect(() => {
      const { value } = lab.attached;
      if (value !== '' && !workspaces.all.peek().some(each => each.key === value)) {
        look();
      }
    });

    app.commands.addCommand(SHOW_SIDEBAR, {
      label: lab.trans('Show experiments and runs'),
      icon: runsIcon,
      describedBy: { args: null },
      execute: () => app.shell.activateById(SIDEBAR)
    });
    app.commands.addCommand(SHOW_RUNS, {
      label: lab.trans('Open the table of runs'),
      icon: runsIcon,
      describedBy: { args: null },
      execute: async () => {
        await workspaces.look(folder());
        const current = workspaces.current.peek();
        if (current === null) {
          lab.notify(noRuns(workspaces, transOf(lab)));
        } else {
          lab.open({ view: 'runs', workspace: current.key });
        }
      }
    });
    for (const command of [SHOW_SIDEBAR, SHOW_RUNS, SUBMIT_CELL, SUBMIT_FILE]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    if (notebooks !== null) {
      addSubmission(lab, { app, notebooks, files });
    }
    const watcher = new Watcher(lab, workspaces);
    if (bar !== null) {
      addStatus(bar, lab, watcher, () => void app.commands.execute(SHOW_RUNS));
    }
    void settings?.load('amlnb:places').then(found => {
      const take = (): void => {
        watcher.told = found.get('notifications').composite as Told;
      };
      found.changed.connect(take);
      take();
    });
  }
};

/** What shows HTML in the same document. */
function htmlRenderer(rendermime: IRenderMimeRegistry, options: IRenderMime.IRendererOptions): IRenderMime.IRenderer {
  const { resolver, linkHandler } = options;
  const registry = rendermime.clone({ ...(resolver && { resolver }), ...(linkHandler && { linkHandler }) });
  return registry.createRenderer('text/html');
}

/** The folder a person is in: that of the notebook before them, else the file browser's. */
function folderShown(notebooks: INotebookTracker | null, files: IDefaultFileBrowser | null): string {
  const notebook = notebooks?.currentWidget?.context.path;
  return notebook === undefined ? (files?.model.path ?? '') : notebook.split('/').slice(0, -1).join('/');
}

export default [host, outputs, places];
