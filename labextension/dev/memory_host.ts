/** A host in memory that speaks the contract: the fake for tests, and what the page for looking shows. */

import type {
  Code,
  CodeDiff,
  Files,
  LogLine,
  LogMatches,
  LogPart,
  Metrics,
  Preview,
  RunChanges,
  Runs
} from '../src/core/contract';
import { fill, type Host, type Place, type Remembered } from '../src/core/host';
import { memoryRuns, type MemoryRun } from './memory_run';
import { encodeFrame, MemorySocket, pointsOf } from './memory_stream';

/** Each line of a log in memory takes so many bytes, its line break included. */
const LINE = 48;

export class MemoryHost implements Host {
  readonly base = 'memory:/';
  readonly acts = true;
  readonly runs: MemoryRun[];
  readonly sockets: MemorySocket[] = [];
  readonly opened: Place[] = [];
  readonly copied: string[] = [];
  /** Whether the clipboard can be written. */
  copies = true;
  readonly notices: string[] = [];
  readonly asked: string[] = [];
  private readonly choices = new Map<string, unknown>();

  constructor(runs: MemoryRun[] = memoryRuns()) {
    this.runs = runs;
    for (const run of runs) {
      run.document.log = { ...run.document.log, bytes: run.lines * LINE };
    }
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    this.asked.push(`${init?.method ?? 'GET'} ${path}`);
    const url = new URL(path, 'http://memory/');
    const [, , , id = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const run = this.find(id);
    if (url.pathname.endsWith('/runs')) {
      return answer(this.table(url.searchParams.get('parent')));
    }
    if (!run) {
      return answer({ message: `no run "${id}"`, hint: null }, 404);
    }
    if (rest[0] === 'series') {
      return Promise.resolve(new Response(series(run, url.searchParams)));
    }
    return answer(this.answerOf(run, rest.join('/'), url.searchParams, init));
  }

  socket(): WebSocket {
    const socket = new MemorySocket(id => this.find(id));
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  }

  open(what: Place): void {
    this.opened.push(what);
  }

  trans(text: string, ...args: (string | number)[]): string {
    return fill(text, args);
  }

  remember<T>(key: string): Remembered<T> {
    return { get: () => this.choices.get(key) as T | undefined, set: value => this.choices.set(key, value) };
  }

  confirm(): Promise<boolean> {
    return Promise.resolve(true);
  }

  notify(text: string, kind?: 'error'): void {
    this.notices.push(kind === undefined ? text : `${kind}: ${text}`);
  }

  copy(text: string): Promise<boolean> {
    this.copied.push(text);
    return Promise.resolve(this.copies);
  }

  private find(id: string): MemoryRun | undefined {
    return this.runs.find(({ document }) => document.id === id);
  }

  private table(parent: string | null): Runs {
    const documents = this.runs.map(({ document }) => document);
    const runs = parent
      ? documents.slice(0, 3).map(one => ({ ...one, id: `${parent}_${one.number}`, parent }))
      : documents;
    return { runs, total: runs.length, unreadable: 0, columns: { parameters: [], metrics: [], tags: [] }, best: {} };
  }

  private answerOf(run: MemoryRun, what: string, asked: URLSearchParams, init?: RequestInit): unknown {
    switch (what) {
      case '':
        return this.changed(run, init);
      case 'cancel':
        run.document = { ...run.document, state: 'CancelRequested' };
        return run.document;
      case 'metrics':
        return metrics(run);
      case 'log':
        return log(run, asked);
      case 'log/search':
        return search(run, asked);
      case 'files':
        return FILES;
      case 'preview':
        return PREVIEWS[asked.get('name') ?? ''] ?? { kind: 'none', note: 'no preview of this kind of file' };
      case 'code':
        return CODE;
      case 'code/text':
        return { path: asked.get('path'), text: SCRIPT, truncated: false };
      case 'code/diff':
        return DIFF;
      default:
        return { message: `nothing at ${what}`, hint: null };
    }
  }

  private changed(run: MemoryRun, init?: RequestInit): unknown {
    if (init?.method === 'PATCH') {
      const { tags, remove_tags: removed = [], name } = JSON.parse(init.body as string) as RunChanges;
      const kept = Object.entries({ ...run.document.tags, ...tags }).filter(([tag]) => !removed.includes(tag));
      run.document = { ...run.document, name: name ?? run.document.name, tags: Object.fromEntries(kept) };
    }
    return run.document;
  }
}

function answer(value: unknown, status = 200): Promise<Response> {
  return Promise.resolve(new Response(JSON.stringify(value), { status }));
}

function series(run: MemoryRun, asked: URLSearchParams): ArrayBuffer {
  const [low, high] = [Number(asked.get('low') ?? 0), Number(asked.get('high') ?? run.points)];
  const parts = asked.getAll('name').map((name, position) => {
    const metric = Math.max(
      0,
      run.metrics.findIndex(one => one.name === name)
    );
    const from = Math.max(0, Math.floor(low) - 1);
    const points = pointsOf(run, metric, from, Math.max(from, Math.min(run.points, Math.ceil(high) + 2)));
    return new Uint8Array(encodeFrame({ ...points, metric: position, flags: 1, total: run.points }));
  });
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole.buffer;
}

function line(run: MemoryRun, number: number): LogLine {
  return { at: number * LINE, ...run.line(number) };
}

function log(run: MemoryRun, asked: URLSearchParams): LogPart {
  const from = Number(asked.get('from'));
  const count = Math.max(1, Math.floor(Number(asked.get('bytes')) / LINE));
  const pivot = Math.min(run.lines, Math.floor(from / LINE));
  const backward = asked.get('direction') === 'backward';
  const first = backward ? Math.max(0, pivot - count) : pivot;
  const end = backward ? pivot : Math.min(run.lines, pivot + count);
  const lines = Array.from({ length: Math.max(0, end - first) }, (_, at) => line(run, first + at));
  return { file: run.document.log.file, size: run.lines * LINE, from: first * LINE, to: end * LINE, lines };
}

function search(run: MemoryRun, asked: URLSearchParams): LogMatches {
  const backward = asked.get('direction') === 'backward';
  const text = (asked.get('text') ?? '').toLowerCase();
  const limit = Number(asked.get('limit') ?? 1);
  const matches: LogMatches['matches'] = [];
  const pivot = Math.floor(Number(asked.get('from')) / LINE);
  for (
    let at = backward ? pivot - 1 : pivot;
    at >= 0 && at < run.lines && matches.length < limit;
    at += backward ? -1 : 1
  ) {
    const found = line(run, at);
    if (found.text.toLowerCase().includes(text)) {
      matches.push({ at: found.at, line: found });
    }
  }
  return { matches, next: null };
}

function metrics(run: MemoryRun): Metrics {
  const summary = { count: run.points, last: 0.5, min: 0.1, max: 2.3 };
  return {
    metrics: Object.fromEntries(run.metrics.map(({ name }) => [name, summary])),
    system: run.metrics.length
      ? {
          cpu_percent: { count: 60, last: 182.4, min: 2, max: 199 },
          memory_bytes: { count: 60, last: 1.2e9, min: 1e8, max: 1.3e9 }
        }
      : {},
    logged: [
      {
        name: 'confusion',
        kind: 'table',
        columns: ['true', 'predicted', 'count'],
        rows: [
          ['3', '5', '12'],
          ['4', '9', '31']
        ],
        truncated: false
      },
      { name: 'note', kind: 'text', values: ['the first epochs are warm-up'] }
    ]
  };
}

const FILES: Files = {
  files: [
    { name: 'outputs/model.pt', bytes: 12_403_221, modified: 1_790_000_180 },
    { name: 'outputs/predictions.csv', bytes: 40_211, modified: 1_790_000_181 },
    { name: 'outputs/notes.txt', bytes: 211, modified: 1_790_000_181 },
    { name: 'user_logs/std_log.txt', bytes: 240_000, modified: 1_790_000_183 }
  ],
  warnings: []
};

const PREVIEWS: Record<string, Preview> = {
  'outputs/predictions.csv': {
    kind: 'table',
    columns: ['id', 'label', 'score'],
    rows: Array.from({ length: 30 }, (_, at) => [String(at), String(at % 10), (0.5 + at / 100).toFixed(3)]),
    truncated: true,
    note: 'the first 30 of 12,000 rows'
  },
  'outputs/notes.txt': { kind: 'text', text: 'best epoch: 17\nbest accuracy: 0.9812\n', truncated: false }
};

const SCRIPT = `import torch
from amlnb import Run

run = Run.get_context()
for step in range(5000):
    loss = train_step(model, *next(batches))
    run.log("loss", loss.item(), step=step)
`;

const CODE: Code = {
  files: [
    { path: 'train.py', bytes: 2100 },
    { path: 'model.py', bytes: 900 }
  ],
  entry: 'train.py',
  unknown: ''
};

const DIFF: CodeDiff = {
  files: [
    {
      path: 'train.py',
      diff: [
        '@@ -4,3 +4,3 @@',
        ' run = Run.get_context()',
        '-for step in range(5000):',
        '+for step in range(9000):',
        '     loss'
      ],
      note: ''
    }
  ],
  same: 1,
  unknown: ''
};
