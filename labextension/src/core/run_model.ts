/** A run as a page follows it: signals that change at most once an animation frame. */

import { batch, computed, signal, type ReadonlySignal } from '@preact/signals';

import type { Client } from './client';
import { ENDS, type Fault, type RunDocument } from './contract';
import { takeInFrame } from './frame';
import type { SeriesFrame } from './frames';
import { Series } from './series';
import type { RunListener, Stream } from './stream';

/** Points a metric that are asked for at first: more than a chart has columns of pixels. */
const POINTS = 2000;

export class RunModel implements RunListener {
  readonly document = signal<RunDocument | null>(null);
  /** When the document came, by the page's own clock (performance.now()). */
  documentAt = 0;
  /** Metrics in the order of their first use. */
  readonly names = signal<readonly string[]>([]);
  readonly log = signal<{ file: string; bytes: number } | null>(null);
  /** Why there is nothing to follow. */
  readonly fault = signal<Fault | null>(null);
  /** Whether it was deleted from this page. */
  readonly deleted = signal(false);
  readonly ended: ReadonlySignal<boolean> = computed(() => ENDS.has(this.document.value?.state ?? ''));
  /** Whether the connection broke; what is seen may be old. */
  readonly lost: ReadonlySignal<boolean>;

  private readonly held = new Map<string, Series>();
  /** Names as this connection told them: what the positions in frames mean. */
  private positions: readonly string[] = [];
  private readonly dirty = new Set<Series>();
  private pending: (() => void)[] = [];
  private users = 0;
  private unfollow: (() => void) | null = null;

  constructor(
    readonly workspace: string,
    readonly run: string,
    readonly client: Client,
    private readonly stream: Stream
  ) {
    this.lost = computed(() => stream.state.value === 'lost');
  }

  /** Follow the run until as many have called `release`. */
  retain(): void {
    this.users++;
    this.unfollow ??= this.stream.follow(this.workspace, this.run, POINTS, this);
  }

  /** Whether anyone still uses it. */
  release(): boolean {
    this.users--;
    if (this.users === 0) {
      this.unfollow?.();
      this.unfollow = null;
    }
    return this.users > 0;
  }

  /** The metric of this name; empty as long as nothing of it has come. */
  series(name: string): Series {
    let found = this.held.get(name);
    if (!found) {
      found = new Series(name);
      this.held.set(name, found);
    }
    return found;
  }

  have(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [name, series] of this.held) {
      if (series.total > 0) {
        counts[name] = series.total;
      }
    }
    return counts;
  }

  onRun(run: RunDocument): void {
    const now = performance.now();
    this.later(() => {
      this.documentAt = now;
      this.document.value = run;
      this.fault.value = null;
      this.log.value ??= run.log;
    });
  }

  onMetrics(names: string[]): void {
    this.positions = names;
    this.later(() => {
      const known = this.names.peek();
      const added = names.filter(name => !known.includes(name));
      if (added.length > 0) {
        this.names.value = [...known, ...added];
      }
    });
  }

  onFrame(frame: SeriesFrame): void {
    const name = this.positions[frame.metric];
    if (name === undefined) {
      return;
    }
    const series = this.series(name);
    series.take(frame);
    this.dirty.add(series);
    this.schedule();
  }

  onLog(file: string, bytes: number): void {
    this.later(() => {
      this.log.value = { file, bytes };
    });
  }

  onReset(): void {
    for (const series of this.held.values()) {
      series.clear();
      this.dirty.add(series);
    }
    this.later(() => {
      this.names.value = [];
    });
  }

  onGone(message: string, hint: string | null): void {
    this.later(() => {
      this.fault.value = { message, hint };
    });
  }

  private later(change: () => void): void {
    this.pending.push(change);
    this.schedule();
  }

  private schedule(): void {
    takeInFrame(this.flush);
  }

  private readonly flush = (): void => {
    const changes = this.pending;
    this.pending = [];
    batch(() => {
      for (const change of changes) {
        change();
      }
      for (const series of this.dirty) {
        series.version.value++;
      }
      this.dirty.clear();
    });
  };
}
