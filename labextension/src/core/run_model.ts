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

/** What is known of a run but for its points. */
interface Told {
  document: RunDocument | null;
  names: readonly string[];
  log: { file: string; bytes: number } | null;
  fault: Fault | null;
}

export class RunModel implements RunListener {
  readonly document = signal<RunDocument | null>(null);
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
  /** What came last; the signals tell it with the next frame, of which a hidden page has none. */
  private readonly told: Told = { document: null, names: [], log: null, fault: null };
  /** How often the stream told how the run is. */
  private tellings = 0;
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

  /** Take what the server answers to an action, unless the stream has told of the run meanwhile: that may be newer. */
  async take(answer: Promise<RunDocument>): Promise<void> {
    const before = this.tellings;
    const run = await answer;
    if (before === this.tellings) {
      this.hold(run);
    }
  }

  onRun(run: RunDocument): void {
    this.tellings++;
    this.hold(run);
  }

  onMetrics(names: string[]): void {
    this.positions = names;
    const known = new Set(this.told.names);
    const added = names.filter(name => !known.has(name));
    if (added.length > 0) {
      this.told.names = [...this.told.names, ...added];
      this.schedule();
    }
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
    this.told.log = { file, bytes };
    this.schedule();
  }

  onReset(): void {
    for (const series of this.held.values()) {
      series.clear();
      this.dirty.add(series);
    }
    this.told.names = [];
    this.schedule();
  }

  onGone(message: string, hint: string | null): void {
    this.told.fault = { message, hint };
    this.schedule();
  }

  private hold(run: RunDocument): void {
    const { told } = this;
    told.document = run;
    told.fault = null;
    told.log ??= run.log;
    this.schedule();
  }

  private schedule(): void {
    takeInFrame(this.flush);
  }

  private readonly flush = (): void => {
    const { document, names, log, fault } = this.told;
    batch(() => {
      this.document.value = document;
      this.names.value = names;
      this.log.value = log;
      this.fault.value = fault;
      for (const series of this.dirty) {
        series.version.value++;
      }
      this.dirty.clear();
    });
  };
}
