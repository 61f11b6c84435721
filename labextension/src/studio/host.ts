import { copyText } from '../core/clipboard';
import { fill, type Host, type Place, type Remembered } from '../core/host';
import { remembered } from '../core/remembered';

/** A page of its own as the place where views live: in a Jupyter server, or in the studio, which only reads. */
export class PageHost implements Host {
  readonly base: string;
  private readonly notes = document.createElement('div');

  /**
   * @param page Address of the page; the API is beside it.
   * @param acts Whether the server does what it is asked, or only tells.
   * @param show Goes to a place.
   */
  constructor(
    page: string,
    readonly acts: boolean,
    private readonly show: (place: Place) => void
  ) {
    this.base = new URL('../api/', page).pathname;
    this.notes.className = 'amlnb-notes';
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const token = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
    if (token !== undefined) {
      headers.set('X-XSRFToken', token);
    }
    return fetch(this.base + path, { ...init, headers, credentials: 'same-origin', cache: 'no-store' });
  }

  socket(): WebSocket {
    const address = new URL(`${this.base}stream`, location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(address);
  }

  open(what: Place): void {
    this.show(what);
  }

  trans(text: string, ...args: (string | number)[]): string {
    return fill(text, args);
  }

  remember<T>(key: string): Remembered<T> {
    return remembered<T>(`amlnb:${this.base}:${key}`);
  }

  confirm(question: string): Promise<boolean> {
    return Promise.resolve(window.confirm(question));
  }

  notify(text: string, kind?: 'error'): void {
    const note = document.createElement('div');
    note.className = 'amlnb-note';
    note.setAttribute('role', kind === 'error' ? 'alert' : 'status');
    note.textContent = text;
    if (kind === 'error') {
      const close = document.createElement('button');
      close.type = 'button';
      close.textContent = '×';
      close.setAttribute('aria-label', this.trans('Close'));
      close.addEventListener('click', () => note.remove());
      note.append(close);
    } else {
      setTimeout(() => note.remove(), 5000);
    }
    this.notes.append(note);
    document.body.append(this.notes);
  }

  copy(text: string): Promise<boolean> {
    return copyText(text);
  }
}
