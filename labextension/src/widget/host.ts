import { copyText } from '../core/clipboard';
import { fill, type Host, type Place, type Remembered, type Socket } from '../core/host';
import { PageNotes } from '../views/page_notes';

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
  kind: 'answer' | 'opened' | 'stream' | 'closed' | 'alive';
  id: number;
  status?: number;
  type?: string;
  text?: string;
}

/** The kernel tells every ten seconds that it is there, as long as something is followed. */
const SILENT_MS = 40_000;
const LOOK_MS = 5000;

/** A question that the kernel has not answered yet. */
interface Asked {
  /** Its path, where it only reads: it is not asked again before it was answered. */
  reads: string | null;
  waiting: { since: number; resolve: (answer: Response) => void; reject: (error: Error) => void }[];
}

/** A widget's output as the place where views live: its server is the kernel, over the widget's messages. */
export class WidgetHost implements Host {
  readonly base = '';
  readonly acts = true;
  private readonly asked = new Map<number, Asked>();
  private readonly streams = new Map<number, WidgetSocket>();
  private readonly memory = new Map<string, unknown>();
  private readonly notes: PageNotes;
  private readonly timer: ReturnType<typeof setInterval>;
  private heard = performance.now();
  /** Views of one widget, and a page that was reloaded, do not take each other's answers. */
  private last = Math.floor(Math.random() * 2 ** 32) * 2 ** 20;

  /** @param place Where questions and notes are shown. */
  constructor(
    private readonly model: Model,
    place: HTMLElement,
    private readonly show: (place: Place) => void
  ) {
    this.notes = new PageNotes(place, this.trans.bind(this));
    model.on('msg:custom', this.receive);
    model.on('comm_live_update', this.onKernel);
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  dispose(): void {
    clearInterval(this.timer);
    this.model.off('msg:custom', this.receive);
    this.model.off('comm_live_update', this.onKernel);
    for (const stream of this.streams.values()) {
      stream.close();
    }
  }

  /** Ask the kernel, which answers when it executes no cell. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? init.body : '';
    const reads = method === 'GET' ? path : null;
    return new Promise((resolve, reject) => {
      const waits = { since: performance.now(), resolve, reject };
      const before = [...this.asked.values()].find(one => reads !== null && one.reads === reads);
      if (before) {
        before.waiting.push(waits);
        return;
      }
      const id = ++this.last;
      this.model.send({ kind: 'fetch', id, method, path, body });
      this.asked.set(id, { reads, waiting: [waits] });
    });
  }

  socket(): Socket {
    const id = ++this.last;
    const stream = new WidgetSocket(
      content => this.model.send({ ...content, id }),
      () => this.streams.delete(id)
    );
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

  confirm(question: string, verb: string, safe?: string): Promise<boolean> {
    return this.notes.ask(question, verb, safe);
  }

  notify(text: string, kind?: 'error'): void {
    this.notes.tell(text, kind);
  }

  copy(text: string): Promise<boolean> {
    return copyText(text);
  }

  private readonly receive = (content: unknown, buffers: DataView[]): void => {
    const { kind, id, status, type, text } = content as Answer;
    const [data] = buffers;
    this.heard = performance.now();
    switch (kind) {
      case 'answer': {
        const headers = { 'Content-Type': type ?? 'application/json' };
        const body = status === 204 || data === undefined ? null : copied(data);
        for (const { resolve } of this.asked.get(id)?.waiting ?? []) {
          resolve(new Response(body, { status: status ?? 500, headers }));
        }
        this.asked.delete(id);
        break;
      }
      case 'opened':
        this.streams.get(id)?.opened();
        break;
      case 'closed':
        this.streams.get(id)?.end();
        break;
      case 'stream':
        this.streams.get(id)?.take(text ?? (data === undefined ? '' : copied(data)));
        break;
      default: // it is there
    }
  };

  /** The kernel was started anew, has died, or is reached again. */
  private readonly onKernel = (): void => {
    this.giveUp(this.trans('the kernel that answered this is gone: run the cell again'), Infinity);
    this.asked.clear();
  };

  private look(): void {
    const silent = performance.now() - SILENT_MS;
    if (this.heard < silent) {
      this.giveUp(this.trans('the kernel says nothing: it executes a cell, or it is gone'), silent);
    }
  }

  /** End what is followed, and what was asked before this time. */
  private giveUp(reason: string, before: number): void {
    for (const stream of [...this.streams.values()].filter(({ readyState }) => readyState === 1)) {
      stream.end();
    }
    for (const one of this.asked.values()) {
      const late = one.waiting.filter(({ since }) => since < before);
      one.waiting = one.waiting.filter(({ since }) => since >= before);
      late.forEach(({ reject }) => reject(new Error(reason)));
    }
  }
}

/** A buffer of its own: frames are read as arrays of numbers, which must begin at a multiple of eight. */
function copied(view: DataView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}

/** The stream of a page over the messages of a widget: open once the kernel says so. */
class WidgetSocket implements Socket {
  binaryType: BinaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<string | ArrayBuffer>) => void) | null = null;
  onclose: (() => void) | null = null;
  readyState = 0;

  constructor(
    private readonly tell: (content: { kind: string; text?: string }) => void,
    private readonly forget: () => void
  ) {
    queueMicrotask(() => this.ask());
  }

  send(text: string): void {
    this.tell({ kind: 'text', text });
  }

  close(): void {
    if (this.readyState !== 3) {
      this.leave();
      this.tell({ kind: 'end' });
    }
  }

  opened(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  take(data: string | ArrayBuffer): void {
    this.onmessage?.(new MessageEvent('message', { data }));
  }

  /** The kernel has closed it, or is gone. */
  end(): void {
    this.leave();
    this.onclose?.();
  }

  private ask(): void {
    if (this.readyState === 3) {
      return;
    }
    try {
      this.tell({ kind: 'open' });
    } catch {
      this.end(); // the kernel is gone
    }
  }

  private leave(): void {
    this.readyState = 3;
    this.forget();
  }
}
