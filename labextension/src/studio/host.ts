import { copyText } from '../core/clipboard';
import { fill, type Host, type Place, type Remembered } from '../core/host';
import { remembered } from '../core/remembered';
import { PageNotes } from '../views/page_notes';

/** A page of its own as the place where views live: in a Jupyter server, or in the studio, which only reads. */
export class PageHost implements Host {
  readonly base: string;
  private readonly notes = new PageNotes(document.body, this.trans.bind(this));

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

  confirm(question: string, verb: string, safe?: string): Promise<boolean> {
    return this.notes.ask(question, verb, safe);
  }

  notify(text: string, kind?: 'error'): void {
    this.notes.tell(text, kind);
  }

  copy(text: string): Promise<boolean> {
    return copyText(text);
  }
}
