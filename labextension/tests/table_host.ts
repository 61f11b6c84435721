/** A host whose server has a list of runs: what the table, the sidebar and a comparison ask of it. */

import type { RunRow, WorkspaceInfo } from '../src/core/contract';
import { fill, type Host, type Place, type Remembered } from '../src/core/host';

export function row(number: number, changes: Partial<RunRow> = {}): RunRow {
  return {
    id: `run-${number}`,
    experiment: 'sweep',
    number,
    name: `trial ${number}`,
    type: null,
    state: 'Completed',
    target: 'local',
    parent: null,
    created: 1_790_000_000 + number,
    started: 1_790_000_000,
    ended: 1_790_000_010,
    elapsed_s: 10,
    archived: false,
    script: 'train.py',
    error: null,
    parameters: { lr: String(number) },
    tags: {},
    metrics: { loss: { count: 1, last: number / 10, min: number / 10, max: number / 10 } },
    ...changes
  };
}

export class TableHost implements Host {
  readonly base = 'http://host/amlnb/api/';
  acts = true;
  readonly opened: Place[] = [];
  readonly asked: { method: string; path: string; body: unknown }[] = [];
  readonly notes: string[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly memory = new Map<string, unknown>();
  agrees = true;
  /** What a query that is not understood is answered with. */
  fault: { message: string; hint: string | null } | null = null;

  workspaces: WorkspaceInfo[] = [{ key: 'w', name: 'project', path: '/home/project/.amlnb', current: true }];

  constructor(public rows: RunRow[]) {}

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.base);
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
    this.asked.push({ method: init.method ?? 'GET', path, body });
    const told = this.answer(url);
    return Promise.resolve(new Response(JSON.stringify(told[1]), { status: told[0] }));
  }

  /** Addresses that were asked for and end like this. */
  askedFor(part: string): string[] {
    return this.asked.map(each => each.path).filter(path => path.includes(part));
  }

  socket(): FakeSocket {
    const made = new FakeSocket();
    this.sockets.push(made);
    return made;
  }

  open(what: Place): void {
    this.opened.push(what);
  }

  trans(text: string, ...args: (string | number)[]): string {
    return fill(text, args);
  }

  remember<T>(key: string): Remembered<T> {
    return { get: () => this.memory.get(key) as T | undefined, set: value => this.memory.set(key, value) };
  }

  confirm(): Promise<boolean> {
    return Promise.resolve(this.agrees);
  }

  notify(text: string): void {
    this.notes.push(text);
  }

  copy(): Promise<boolean> {
    return Promise.resolve(true);
  }

  private answer(url: URL): [number, unknown] {
    const path = url.pathname;
    if (path.endsWith('/runs')) {
      if (this.fault !== null && url.searchParams.get('query') !== null) {
        return [400, this.fault];
      }
      const from = Number(url.searchParams.get('offset') ?? 0);
      const runs = this.rows.slice(from, from + Number(url.searchParams.get('limit') ?? 100));
      const columns = { parameters: ['lr'], metrics: ['loss'], tags: [] };
      const best = { loss: { direction: 'min', value: 0.1, run: 'run-1' } };
      return [200, { runs, total: this.rows.length, unreadable: 0, columns, best }];
    }
    if (path.endsWith('/groups')) {
      const metrics = { loss: { count: 2, mean: 0.15, low: 0.1, high: 0.2 } };
      return [
        200,
        { by: url.searchParams.get('by'), groups: [{ value: '1', runs: 2, ids: ['run-1', 'run-2'], metrics }] }
      ];
    }
    if (path.endsWith('/workspaces')) {
      return [200, { workspaces: this.workspaces }];
    }
    if (path.endsWith('/experiments')) {
      return [200, { experiments: [{ name: 'sweep', runs: this.rows.length, running: 1, newest: 1 }] }];
    }
    if (path.endsWith('/code/diff')) {
      const note = `against ${url.searchParams.get('against') ?? ''}`;
      return [200, { files: [{ path: 'train.py', diff: [], note }], same: 3, unknown: '' }];
    }
    if (path.endsWith('/compare')) {
      const ids = url.searchParams.getAll('run');
      const found = this.rows.filter(run => ids.includes(run.id));
      const runs = found.map(run => ({ ...run, label: `#${run.number}`, environment: {}, git: {} }));
      return [200, { runs }];
    }
    return [200, {}];
  }
}

export class FakeSocket {
  binaryType: BinaryType = 'arraybuffer';
  onopen: ((event: Event) => unknown) | null = null;
  onmessage: ((event: MessageEvent<string | ArrayBuffer>) => unknown) | null = null;
  onclose: ((event: CloseEvent) => unknown) | null = null;
  readyState = 0;
  readonly sent: { op: string; sub: number }[] = [];

  constructor() {
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.(new Event('open'));
    });
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { op: string; sub: number });
  }

  close(): void {
    this.readyState = 3;
  }

  /** Tell every watch of the workspace what has changed. */
  tell(changed: RunRow[], removed: string[] = [], running = 0): void {
    for (const { op, sub } of this.sent) {
      if (op === 'watch') {
        const data = JSON.stringify({ t: 'runs', sub, changed, removed, running });
        this.onmessage?.(new MessageEvent('message', { data }));
      }
    }
  }
}
