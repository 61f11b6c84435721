import { copyText } from '../core/clipboard';
import { fill, type Host, type Place, type Remembered, type Socket } from '../core/host';

/** What of a widget's model is used: anywidget's, without its types of traits. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (content: unknown, buffers: DataView[]) => void): void;
  off(event: string, callback: (content: unknown, buffers: DataView[]) => void): void;
  send(content: unknown): void;
}

interface Answer {
  kind: string;
  id: number;
  status?: number;
  type?: string;
  text?: string;
}

/** A widget's output as the place where views live: its server is the kernel, over the widget's messages. */
export class WidgetHost implements Host {
  readonly base = '';
  readonly acts = true;
  private readonly asked = new Map<number, (answer: Response) => void>();
  private readonly streams = new Map<number, WidgetSocket>();
  private readonly memory = new Map<string, unknown>();
  /** Views of one widget, and a page that was reloaded, do not take each other's answers. */
  private last = Math.floor(Math.random() * 2 ** 32) * 2 ** 20;

  constructor(
    private readonly model: Model,
    private readonly show: (place: Place) => void
  ) {
    model.on('msg:custom', this.receive);
  }

  dispose(): void {
    this.model.off('msg:custom', this.receive);
    for (const stream of this.streams.values()) {
      stream.close();
    }
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const id = ++this.last;
    const body = typeof init.body === 'string' ? init.body : '';
    return new Promise(resolve => {
      this.asked.set(id, resolve);
      this.model.send({ kind: 'fetch', id, method: init.method ?? 'GET', path, body });
    });
  }

  socket(): Socket {
    const id = ++this.last;
    const stream = new WidgetSocket(content => this.model.send({ ...content, id }));
    this.streams.set(id, stream);
    return stream;
  }

  open(what: Place): void {
    this.show(what);
  }

  trans(text: string, ...args: (string | number)[]): string {
    return fill(text, args);
  }

  remember<T>(key: string): Remembered<T> {
    return {
      get: () => this.memory.get(key) as T | undefined,
      set: value => this.memory.set(key, value)
    };
  }

  confirm(question: string): Promise<boolean> {
    return Promise.resolve(window.confirm(question));
  }

  notify(text: string): void {
    console.info(`amlnb: ${text}`);
  }

  copy(text: string): Promise<boolean> {
    return copyText(text);
  }

  private readonly receive = (content: unknown, buffers: DataView[]): void => {
    const { kind, id, status, type, text } = content as Answer;
    if (kind === 'answer') {
      const [body] = buffers;
      const headers = { 'Content-Type': type ?? 'application/json' };
      const empty = status === 204 || body === undefined;
      this.asked.get(id)?.(new Response(empty ? null : copied(body), { status: status ?? 500, headers }));
      this.asked.delete(id);
    } else if (kind === 'closed') {
      this.streams.get(id)?.end();
    } else {
      const [frames] = buffers;
      this.streams.get(id)?.take(text ?? (frames === undefined ? '' : copied(frames)));
    }
  };
}

/** A buffer of its own: frames are read as arrays of numbers, which must begin at a multiple of eight. */
function copied(view: DataView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}

/** The stream of a page over the messages of a widget. */
class WidgetSocket implements Socket {
  binaryType: BinaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<string | ArrayBuffer>) => void) | null = null;
  onclose: (() => void) | null = null;
  readyState = 0;

  constructor(private readonly tell: (content: { kind: string; text?: string }) => void) {
    queueMicrotask(() => {
      this.tell({ kind: 'open' });
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    this.tell({ kind: 'text', text });
  }

  close(): void {
    if (this.readyState !== 3) {
      this.readyState = 3;
      this.tell({ kind: 'end' });
    }
  }

  take(data: string | ArrayBuffer): void {
    this.onmessage?.(new MessageEvent('message', { data }));
  }

  /** The kernel has closed it. */
  end(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}
