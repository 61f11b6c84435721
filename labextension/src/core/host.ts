/** Where a view lives, as far as it may know: JupyterLab, the studio's page and the widget each give one. */

/** Something that can be shown on its own. */
export type Place =
  | { view: 'run'; workspace: string; run: string }
  | { view: 'runs'; workspace: string; query?: string }
  | { view: 'compare'; workspace: string; runs: readonly string[] };

/** A choice that outlives the page. */
export interface Remembered<T> {
  /** The choice; undefined if none was made. */
  get(): T | undefined;
  set(value: T): void;
}

/** What is used of a WebSocket. */
export interface Socket {
  binaryType: BinaryType;
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent<string | ArrayBuffer>) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  readonly readyState: number;
  send(text: string): void;
  close(): void;
}

/** A text in the person's language; %1, %2 stand for the arguments. */
export type Trans = (text: string, ...args: (string | number)[]) => string;

export interface Host {
  /** Address of the API; ends with "/". A link to a file is this and its path; empty where files are only fetched. */
  readonly base: string;
  /** Whether runs can be acted on here (cancel, tag, ...). */
  readonly acts: boolean;
  /** Ask the API; `path` is relative to `base`. Credentials and XSRF are added. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** A new connection to the stream. */
  socket(): Socket;
  open(what: Place): void;
  /** A text in the person's language; %1, %2 stand for the arguments. */
  trans(text: string, ...args: (string | number)[]): string;
  remember<T>(key: string): Remembered<T>;
  /** Ask before something that cannot be undone; `verb` stands on its button, `safe` on the one that changes nothing. */
  confirm(question: string, verb: string, safe?: string): Promise<boolean>;
  /** Tell something in passing; an error stays until it is closed. */
  notify(text: string, kind?: 'error'): void;
  /** Put a text on the clipboard, in answer to a click or a key; whether that was done. */
  copy(text: string): Promise<boolean>;
}

/** Put arguments into a text: what `trans` does once the text is translated. */
export function fill(text: string, args: readonly (string | number)[]): string {
  return text.replace(/%(\d)/g, (whole, position: string) => {
    const value = args[Number(position) - 1];
    return value === undefined ? whole : String(value);
  });
}
