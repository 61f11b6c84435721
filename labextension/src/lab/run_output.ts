import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { type ComponentChild, render } from 'preact';

import type { WorkspaceInfo } from '../core/contract';
import type { Located } from './located';

/** The first output of a run: its picture, and what says which run it is. */
export const RUN_MIME = 'application/vnd.amlnb.run+json';
/** The second one: its tables. They are shown where no live view of the run can be. */
export const DETAILS_MIME = 'application/vnd.amlnb.run-details+json';

const PICTURES = ['image/png', 'image/svg+xml'] as const;

/** What an output says of its run; null if it is damaged. */
export function runOf(data: unknown): { id: string; state: string } | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  const { id, state } = data as Record<string, unknown>;
  return typeof id === 'string' && id !== '' ? { id, state: typeof state === 'string' ? state : '' } : null;
}

/** Folder of the document that holds an output, below the server's root. */
export async function folderOf(resolver: IRenderMime.IResolver | null): Promise<string> {
  const path = (await resolver?.resolveUrl('.')) ?? '';
  return decodeURI(path);
}

/** Draws the live view of a run, given where it was found. */
export type DrawRun = (workspace: WorkspaceInfo, run: string) => ComponentChild;

/** The live view of a run in a cell's output; the saved picture where the run is not at hand. */
export class RunOutput extends Widget implements IRenderMime.IRenderer {
  private run = '';
  /** Ends the live view. */
  private end: (() => void) | null = null;
  private model: IRenderMime.IMimeModel | null = null;

  constructor(
    private readonly options: IRenderMime.IRendererOptions,
    private readonly located: Located,
    private readonly draw: DrawRun,
    /** Told of each live view; the answer is called at its end. */
    private readonly attached: (output: RunOutput, workspace: WorkspaceInfo, run: string) => () => void
  ) {
    super();
    this.addClass('amlnb-host');
    this.addClass('amlnb-output');
  }

  /** Whether this is the live view of a run. */
  shows(run: string): boolean {
    return this.end !== null && this.run === run;
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    const run = runOf(model.data[RUN_MIME])?.id ?? '';
    if (run !== this.run || run === '') {
      this.clear();
      this.run = run;
      this.keepHeight(model);
    }
    if (this.end !== null) {
      return; // A newer picture of what is shown live.
    }
    const found = run === '' ? null : await this.located.find(run, await folderOf(this.options.resolver));
    if (!this.awaits(model)) {
      return; // Another call has come meanwhile.
    }
    if (found === null) {
      this.showPicture(model);
      return;
    }
    this.node.replaceChildren();
    render(this.draw(found, run), this.node);
    this.end = this.attached(this, found, run);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.clear();
    }
    super.dispose();
  }

  private awaits(model: IRenderMime.IMimeModel): boolean {
    return !this.isDisposed && this.end === null && model === this.model;
  }

  private clear(): void {
    if (this.end !== null) {
      render(null, this.node);
      this.end();
      this.end = null;
    }
  }

  /** Nothing below it jumps while the run is looked for. */
  private keepHeight(model: IRenderMime.IMimeModel): void {
    const size = model.metadata['image/png'];
    const height = typeof size === 'object' && size !== null && 'height' in size ? size['height'] : undefined;
    this.node.style.minHeight = typeof height === 'number' ? `${height}px` : '';
  }

  private showPicture(model: IRenderMime.IMimeModel): void {
    this.node.style.minHeight = '';
    const plain = model.data['text/plain'];
    const text = typeof plain === 'string' ? plain : '';
    const kind = PICTURES.find(each => typeof model.data[each] === 'string');
    if (kind === undefined) {
      const shown = document.createElement('pre');
      shown.textContent = text;
      this.node.replaceChildren(shown);
      return;
    }
    const content = model.data[kind] as string;
    const picture = document.createElement('img');
    picture.alt = text;
    picture.src =
      kind === 'image/png'
        ? `data:image/png;base64,${content.replace(/\s/g, '')}`
        : `data:image/svg+xml,${encodeURIComponent(content)}`;
    const size = model.metadata['image/png'];
    if (kind === 'image/png' && typeof size === 'object' && size !== null && 'width' in size) {
      picture.width = Number(size['width']);
    }
    picture.className = 'amlnb-output-picture';
    this.node.replaceChildren(picture);
  }
}

/** The tables of a run: nothing where its live view stands above, which shows more. */
export class DetailsOutput extends Widget implements IRenderMime.IRenderer {
  private shown: IRenderMime.IRenderer | null = null;

  constructor(
    private readonly options: IRenderMime.IRendererOptions,
    private readonly located: Located,
    private readonly makeHtml: () => IRenderMime.IRenderer
  ) {
    super();
    this.addClass('amlnb-output-details');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const told = runOf(model.data[DETAILS_MIME]);
    const found = told === null ? null : await this.located.find(told.id, await folderOf(this.options.resolver));
    if (this.isDisposed) {
      return;
    }
    // A live view that cannot be closed up is no reason for an empty line.
    this.node.classList.toggle('amlnb-mod-empty', found !== null);
    if (found !== null) {
      this.shown?.dispose();
      this.shown = null;
      this.node.replaceChildren();
      return;
    }
    if (this.shown === null) {
      this.shown = this.makeHtml();
      this.node.replaceChildren(this.shown.node);
    }
    await this.shown.renderModel(model);
  }

  override dispose(): void {
    this.shown?.dispose();
    super.dispose();
  }
}
