import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { signal } from '@preact/signals';

import { copyText } from '../core/clipboard';
import type { Host, Place, Remembered } from '../core/host';
import { addressOf } from '../core/addresses';
import { remembered } from '../core/remembered';

export const OPEN = 'amlnb:open';
const API = 'amlnb/api/';
const PAGE = 'amlnb/studio/';

/** JupyterLab as the place where views live. */
export class LabHost implements Host {
  readonly acts = true;
  readonly base: string;
  /** Workspace of the run to which a live output was attached last; empty before. */
  readonly attached = signal('');
  private readonly settings: ServerConnection.ISettings;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly texts: TranslationBundle
  ) {
    this.settings = app.serviceManager.serverSettings;
    this.base = URLExt.join(this.settings.baseUrl, API);
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return ServerConnection.makeRequest(this.base + path, init, this.settings);
  }

  /** The address of a page that shows this by itself. */
  pageOf(place: Place): string {
    return URLExt.join(this.settings.baseUrl, PAGE) + addressOf(place);
  }

  /** A path of a document below the server's root, without the drive that it may be told with. */
  localPath(path: string): string {
    return this.app.serviceManager.contents.localPath(path);
  }

  socket(): WebSocket {
    const { wsUrl, token, appendToken, WebSocket: Socket } = this.settings;
    const query = appendToken && token !== '' ? `?token=${encodeURIComponent(token)}` : '';
    return new Socket(URLExt.join(wsUrl, API, 'stream') + query);
  }

  open(what: Place): void {
    void this.app.commands.execute(OPEN, { ...what });
  }

  trans(text: string, ...args: (string | number)[]): string {
    return this.texts.__(text, ...args);
  }

  remember<T>(key: string): Remembered<T> {
    return remembered<T>(`amlnb:${this.settings.baseUrl}:${key}`);
  }

  async confirm(question: string, verb: string, safe = this.trans('Cancel')): Promise<boolean> {
    const answer = await showDialog({
      title: question,
      buttons: [Dialog.cancelButton({ label: safe }), Dialog.warnButton({ label: verb })],
      defaultButton: 0
    });
    return answer.button.accept;
  }

  notify(text: string, kind?: 'error'): void {
    if (kind === 'error') {
      Notification.error(text, { autoClose: false });
    } else {
      Notification.info(text, { autoClose: 4000 });
    }
  }

  copy(text: string): Promise<boolean> {
    return copyText(text);
  }
}
