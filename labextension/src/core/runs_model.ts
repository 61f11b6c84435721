/** Runs of a workspace as a table shows them: pages of rows that are asked for as they come into view, and stay current. */

import { batch, signal, type Signal } from '@preact/signals';

import { isAway, RETRY_MS, toldFault } from './client';
import { ENDS, type Fault, type RunRow, type Runs } from './contract';
import type { Session } from './session';

/** What the table asks for. */
export interface RunsQuestion {
  experiment?: string;
  /** Typed: `lr < 0.01 and state == "Completed"`. */
  query?: string;
  search?: string;
  /** A column as the contract names it. */
  sort: string;
  descending: boolean;
  archived: boolean;
}

const PAGE = 100;
/** Rows that have moved are read again this long after the first of them. */
const SETTLE_MS = 400;

export class RunsModel {
  readonly question = signal<RunsQuestion>({ sort: 'created', descending: true, archived: false });
  /** How many runs match; null until that is known. */
  readonly total = signal<number | null>(null);
  readonly columns = signal<Runs['columns']>({ parameters: [], metrics: [], tags: [] });
  readonly best = signal<Runs['best']>({});
  readonly unreadable = signal(0);
  readonly running = signal(0);
  readonly fault = signal<Fault | null>(null);
  /** Changes whenever a row that `row` tells has changed. */
  readonly version = signal(0);

  private rows: (RunRow | undefined)[] = [];
  private positions = new Map<string, number>();
  /** Pages that were asked for; each is resolved when its rows are there. */
  private pages = new Map<number, Promise<void>>();
  private started = false;
  private generation = 0;
  /** The rows answer an earlier question; the next answer replaces them. */
  private stale = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private unwatch: (() => void) | null = null;
  private wanted: [number, number] = [0, PAGE];
  /** Of each page that is being read: the rows that were told since it was asked for. */
  private readonly reads = new Set<Map<string, RunRow>>();

  constructor(
    private readonly session: Session,
    readonly workspace: string
  ) {}

  /** Begin to follow what was asked for, or is; the answer ends it. */
  start(): () => void {
    this.started = true;
    this.unwatch = this.session.stream.watch(this.workspace, {
      onBegin: () => this.reload(),
      onRuns: (changed, removed, running) => this.onRuns(changed, removed, running),
      onGone: (message, hint) => {
        this.fault.value = { message, hint };
      }
    });
    this.reload();
    return () => {
      this.unwatch?.();
      this.generation++;
      if (this.timer !== null) {
        clearTimeout(this.timer);
      }
    };
  }

  /** Ask for other runs, or another order. What is shown stays until the answer is there. */
  ask(change: Partial<RunsQuestion>): void {
    const next = { ...this.question.peek(), ...change };
    if (JSON.stringify(next) !== JSON.stringify(this.question.peek())) {
      this.question.value = next;
      this.wanted = [0, PAGE];
      if (this.started) {
        this.reload();
      }
    }
  }

  /** The run at this place; undefined while it is being read. */
  row(index: number): RunRow | undefined {
    return this.rows[index];
  }

  /** Whether a run may still be going; so it is with one whose row is not here. */
  mayGo(id: string): boolean {
    const run = this.rows[this.positions.get(id) ?? -1];
    return run === undefined || !ENDS.has(run.state);
  }

  /** Rows that are in view: [first, last). */
  need(first: number, last: number): void {
    this.wanted = [first, last];
    void this.have(first, last);
  }

  /** Where a run stands; undefined if that is not known here. */
  placeOf(id: string): number | undefined {
    return this.positions.get(id);
  }

  /** Ids of the runs from one place to another, both included; rows that are not here are read first. */
  async idsBetween(low: number, high: number): Promise<string[]> {
    await this.have(low, high + 1);
    return this.rows.slice(low, high + 1).flatMap(run => (run === undefined ? [] : [run.id]));
  }

  private async have(first: number, last: number): Promise<void> {
    const asked = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      const reading = this.pages.get(page) ?? this.read(page, this.generation);
      this.pages.set(page, reading);
      asked.push(reading);
    }
    await Promise.all(asked);
  }

  /** Read anew what is in view, in the present order. */
  reload(): void {
    this.timer = null;
    this.generation++;
    this.pages = new Map();
    this.stale = true;
    const [first, last] = this.wanted;
    this.need(first, Math.max(last, first + 1));
  }

  private async read(page: number, generation: number): Promise<void> {
    let answer: Runs;
    const told = new Map<string, RunRow>();
    this.reads.add(told);
    try {
      const { experiment, query, search, ...rest } = this.question.peek();
      answer = await this.session.client.runs(this.workspace, {
        ...rest,
        experiment: experiment === '' ? undefined : experiment,
        query: query === '' ? undefined : query,
        search: search === '' ? undefined : search,
        offset: page * PAGE,
        limit: PAGE
      });
    } catch (error) {
      if (generation === this.generation) {
        this.pages.delete(page);
        this.fault.value = toldFault(error);
        if (isAway(error)) {
          this.timer ??= setTimeout(() => this.reload(), RETRY_MS);
        }
      }
      return;
    } finally {
      this.reads.delete(told);
    }
    if (generation === this.generation) {
      this.take(answer, page, told);
    }
  }

  /** @param told Rows that are newer than the answer. */
  private take(answer: Runs, page: number, told: ReadonlyMap<string, RunRow>): void {
    if (this.stale) {
      this.stale = false;
      this.rows = [];
      this.positions = new Map();
    }
    this.rows.length = answer.total;
    answer.runs.forEach((run, index) => {
      this.rows[page * PAGE + index] = told.get(run.id) ?? run;
      this.positions.set(run.id, page * PAGE + index);
    });
    batch(() => {
      this.total.value = answer.total;
      this.unreadable.value = answer.unreadable;
      setIfOther(this.columns, answer.columns);
      setIfOther(this.best, answer.best);
      this.fault.value = null;
      this.version.value++;
    });
  }

  private onRuns(changed: RunRow[], removed: string[], running: number): void {
    this.running.value = running;
    let moved = removed.length > 0; // Those in view, or still on their way.
    for (const run of changed) {
      this.reads.forEach(told => told.set(run.id, run));
      const index = this.positions.get(run.id);
      if (index === undefined) {
        moved = true; // New, or elsewhere in the order.
      } else {
        this.rows[index] = run;
      }
    }
    if (changed.length > 0) {
      this.version.value++;
    }
    if (moved || (changed.length > 0 && this.dependsOnProgress())) {
      this.timer ??= setTimeout(() => this.reload(), SETTLE_MS);
    }
  }

  /** Whether a run that goes on may change its place, or no longer match. */
  private dependsOnProgress(): boolean {
    const { sort, query } = this.question.peek();
    return sort !== 'created' && sort !== 'number' ? true : query !== undefined && query !== '';
  }
}

/** Each page of rows tells these; who shows them draws everything again when they are another object. */
function setIfOther<T>(held: Signal<T>, told: T): void {
  if (JSON.stringify(held.peek()) !== JSON.stringify(told)) {
    held.value = told;
  }
}
