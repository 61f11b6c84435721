/** The one WebSocket of a page: any number of subscriptions over it, which survive its breaks. */

import { signal, type ReadonlySignal } from '@preact/signals';

import type { RunDocument, RunRow, StreamMessage, StreamRequest } from './contract';
import { decodeFrames, type SeriesFrame } from './frames';
import type { Socket } from './host';

/** Who follows a run. */
export interface RunListener {
  /** Points that are held of each metric; asked for when the connection is made again. */
  have(): Record<string, number>;
  onRun(run: RunDocument): void;
  onMetrics(names: string[]): void;
  onFrame(frame: SeriesFrame): void;
  onLog(file: string, bytes: number): void;
  /** All that came is void and follows anew. */
  onReset(): void;
  /** There is nothing to follow for now; it is tried again, and if there is, it tells how the run is. */
  onGone(message: string, hint: string | null): void;
}

/** Who follows a workspace. */
export interface WatchListener {
  onRuns(changed: RunRow[], removed: string[], running: number): void;
  /** The watch has begun, or begun again: what was missed meanwhile is to be read. */
  onBegin(): void;
  /** There is nothing to follow for now; it is tried again, and if there is, the watch begins. */
  onGone(message: string, hint: string | null): void;
}

interface Attempts {
  begun: boolean;
  /** How often the server ended it since it told anything. */
  ends: number;
  /** Until it is begun again. */
  timer?: ReturnType<typeof setTimeout>;
}

type Subscription = Attempts &
  (
    | { kind: 'run'; workspace: string; run: string; points: number; listener: RunListener }
    | { kind: 'watch'; workspace: string; listener: WatchListener }
  );

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
/** What the server ended is begun again after this time, then after twice of it, and so on. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 30_000;

export class Stream {
  private readonly subscriptions = new Map<number, Subscription>();
  private readonly told = signal<'idle' | 'open' | 'lost'>('idle');
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempts = 0;
  private nextSub = 1;

  constructor(private readonly connect: () => Socket) {}

  /** `idle`: nothing is followed, or the first connection is being made; `lost`: it broke and is tried again. */
  get state(): ReadonlySignal<'idle' | 'open' | 'lost'> {
    return this.told;
  }

  /** Follow a run with at most so many points a metric at first; the answer ends it. */
  follow(workspace: string, run: string, points: number, listener: RunListener): () => void {
    return this.add({ kind: 'run', workspace, run, points, listener, begun: false, ends: 0 });
  }

  /** Follow which runs of a workspace change; the answer ends it. */
  watch(workspace: string, listener: WatchListener): () => void {
    return this.add({ kind: 'watch', workspace, listener, begun: false, ends: 0 });
  }

  private add(subscription: Subscription): () => void {
    const sub = this.nextSub++;
    this.subscriptions.set(sub, subscription);
    if (this.isOpen()) {
      this.begin(sub, subscription);
    } else if (!this.socket && this.timer === null) {
      this.open();
    }
    return () => {
      clearTimeout(subscription.timer);
      if (this.subscriptions.delete(sub)) {
        this.send({ op: 'unsubscribe', sub });
        this.closeIfIdle();
      }
    };
  }

  private open(): void {
    this.timer = null;
    let socket: Socket;
    try {
      socket = this.connect();
    } catch {
      this.retry();
      return;
    }
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.told.value = 'open';
      for (const [sub, subscription] of this.subscriptions) {
        this.begin(sub, subscription);
      }
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.attempts = 0;
      if (typeof event.data === 'string') {
        this.onText(JSON.parse(event.data) as StreamMessage);
      } else {
        this.onBinary(event.data);
      }
    };
    socket.onclose = () => {
      if (this.socket === socket) {
        this.socket = null;
        this.retry();
      }
    };
  }

  private retry(): void {
    if (this.subscriptions.size === 0) {
      this.told.value = 'idle';
      return;
    }
    this.told.value = 'lost';
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.attempts, LONGEST_WAIT_MS);
    this.attempts++;
    this.timer = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
  }

  private closeIfIdle(): void {
    if (this.subscriptions.size > 0) {
      return;
    }
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    const socket = this.socket;
    this.socket = null;
    this.told.value = 'idle';
    socket?.close();
  }

  private begin(sub: number, subscription: Subscription): void {
    clearTimeout(subscription.timer);
    const { workspace } = subscription;
    if (subscription.kind === 'watch') {
      subscription.begun = false;
      this.send({ op: 'watch', sub, workspace });
      return;
    }
    const { run, points, begun, listener } = subscription;
    const request: StreamRequest = { op: 'subscribe', sub, workspace, run, points };
    this.send(begun ? { ...request, have: listener.have() } : request);
    subscription.begun = true;
  }

  private beginLater(sub: number, subscription: Subscription): void {
    const wait = Math.min(FIRST_REST_MS * 2 ** subscription.ends, LONGEST_REST_MS);
    subscription.ends++;
    clearTimeout(subscription.timer);
    subscription.timer = setTimeout(() => this.begin(sub, subscription), wait);
  }

  private onText(message: StreamMessage): void {
    const subscription = message.sub === null ? undefined : this.subscriptions.get(message.sub);
    if (message.t === 'error' && !subscription) {
      console.warn(`amlnb: ${message.message}`, message.hint ?? '');
    }
    if (!subscription) {
      return;
    }
    if (message.t === 'gone' || message.t === 'error') {
      this.beginLater(message.sub as number, subscription);
      subscription.listener.onGone(message.message, message.hint);
      return;
    }
    subscription.ends = 0;
    if (subscription.kind === 'watch') {
      if (message.t === 'runs') {
        this.onRuns(subscription, message.changed, message.removed, message.running);
      }
    } else {
      tell(subscription.listener, message);
    }
  }

  private onRuns(
    subscription: Subscription & { kind: 'watch' },
    changed: RunRow[],
    removed: string[],
    running: number
  ): void {
    if (!subscription.begun) {
      subscription.begun = true;
      subscription.listener.onBegin();
    }
    subscription.listener.onRuns(changed, removed, running);
  }

  private onBinary(data: ArrayBuffer): void {
    for (const frame of decodeFrames(data)) {
      const subscription = this.subscriptions.get(frame.sub);
      if (subscription?.kind === 'run') {
        subscription.listener.onFrame(frame);
      }
    }
  }

  private send(request: StreamRequest): void {
    if (this.isOpen()) {
      this.socket?.send(JSON.stringify(request));
    }
  }

  private isOpen(): boolean {
    return this.socket?.readyState === 1;
  }
}

function tell(listener: RunListener, message: StreamMessage): void {
  switch (message.t) {
    case 'run':
      listener.onRun(message.run);
      break;
    case 'metrics':
      listener.onMetrics(message.names);
      break;
    case 'log':
      listener.onLog(message.file, message.bytes);
      break;
    case 'reset':
      listener.onReset();
      break;
    default:
  }
}
