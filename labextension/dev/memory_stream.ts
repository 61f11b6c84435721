/** The stream's server side in memory: a socket that speaks the contract. */

import type { StreamMessage, StreamRequest } from '../src/core/contract';
import type { MemoryRun } from './memory_run';

const HEADER = 40;

export interface Points {
  sub: number;
  metric: number;
  flags: number;
  first: number;
  total: number;
  step: number[];
  time: number[];
  value: number[];
}

/** The frame as frames.ts describes it. */
export function encodeFrame(points: Points): ArrayBuffer {
  const n = points.value.length;
  const message = new ArrayBuffer(HEADER + 24 * n);
  const view = new DataView(message);
  [1, points.sub, points.metric, points.flags].forEach((value, at) => view.setUint32(4 * at, value, true));
  view.setBigUint64(16, BigInt(points.first), true);
  view.setBigUint64(24, BigInt(points.total), true);
  view.setUint32(32, n, true);
  [points.step, points.time, points.value].forEach((column, at) => {
    new Float64Array(message, HEADER + 8 * n * at, n).set(column);
  });
  return message;
}

/** Points of a metric from one position up to another. */
export function pointsOf(run: MemoryRun, metric: number, from: number, to: number, sub = 0): Points {
  const positions = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
  const begin = run.document.started ?? run.document.created;
  return {
    sub,
    metric,
    flags: 0,
    first: from,
    total: to,
    step: positions,
    time: positions.map(at => begin + at * 0.05),
    value: positions.map(at => run.metrics[metric]?.at(at) ?? NaN)
  };
}

type Listener = ((event: { data: string | ArrayBuffer }) => void) | null;

export class MemorySocket {
  readonly sent: StreamRequest[] = [];
  readyState = 0;
  binaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: Listener = null;
  private readonly timers = new Map<number, ReturnType<typeof setInterval>>();

  constructor(private readonly find: (run: string) => MemoryRun | undefined) {
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const request = JSON.parse(text) as StreamRequest;
    this.sent.push(request);
    if (request.op === 'subscribe') {
      queueMicrotask(() => this.begin(request));
    } else if (request.op === 'watch') {
      this.tell({ t: 'runs', sub: request.sub, changed: [], removed: [], running: 1 });
    } else {
      clearInterval(this.timers.get(request.sub));
    }
  }

  /** Break the connection, as a server that ends does. */
  close(): void {
    this.readyState = 3;
    for (const timer of this.timers.values()) {
      clearInterval(timer);
    }
    this.onclose?.();
  }

  tell(message: StreamMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  push(points: Points): void {
    this.onmessage?.({ data: encodeFrame(points) });
  }

  private begin(request: StreamRequest & { op: 'subscribe' }): void {
    const { sub } = request;
    const run = this.find(request.run);
    if (!run) {
      this.tell({ t: 'gone', sub, message: `no run "${request.run}"`, hint: 'see the table of runs' });
      return;
    }
    this.tell({ t: 'run', sub, run: run.document });
    this.tell({ t: 'metrics', sub, names: run.metrics.map(metric => metric.name) });
    run.metrics.forEach((metric, at) => {
      this.push(pointsOf(run, at, request.have?.[metric.name] ?? 0, run.points, sub));
    });
    this.tell({ t: 'log', sub, file: run.document.log.file, bytes: run.document.log.bytes });
    if (run.rate > 0) {
      this.timers.set(
        sub,
        setInterval(() => this.grow(run, sub), 1000 / run.rate)
      );
    }
  }

  private grow(run: MemoryRun, sub: number): void {
    const from = run.points++;
    run.metrics.forEach((_, at) => this.push(pointsOf(run, at, from, from + 1, sub)));
    if (from % 10 === 0) {
      run.lines++;
      run.document.log.bytes += 48;
      this.tell({ t: 'log', sub, file: run.document.log.file, bytes: run.document.log.bytes });
    }
  }
}
