import { afterEach, describe, expect, it, vi } from 'vitest';

import { memoryDocument, TRAINING, type MemoryRun } from '../dev/memory_run';
import { MemoryHost } from '../dev/memory_host';
import { pointsOf, type MemorySocket } from '../dev/memory_stream';
import { ServerFault } from '../src/core/client';
import type { RunDocument } from '../src/core/contract';
import type { RunModel } from '../src/core/run_model';
import { sessionOf } from '../src/core/session';

function run(id: string, points: number): MemoryRun {
  const document = memoryDocument(id, 'Running');
  return {
    document,
    metrics: TRAINING.slice(0, 2),
    points,
    rate: 0,
    lines: 10,
    line: at => ({ text: `line ${at}`, styles: [] })
  };
}

const ends: (() => void)[] = [];

function followed(host: MemoryHost, id: string): RunModel {
  const [model, release] = sessionOf(host).follow('w', id);
  ends.push(release);
  return model;
}

function socketOf(host: MemoryHost): MemorySocket {
  return host.sockets.at(-1) as MemorySocket;
}

async function ready(model: RunModel, points: number): Promise<void> {
  await vi.waitFor(() => {
    expect(model.document.value).not.toBeNull();
    expect(model.series('loss').version.value).toBeGreaterThan(0);
    expect(model.series('loss').total).toBe(points);
  });
}

/** How many values an object holds, at any depth. */
function reachable(from: object): number {
  const seen = new Set<unknown>([from]);
  for (const value of seen) {
    if (value instanceof Map || value instanceof Set) {
      [...value.entries()].flat().forEach(each => seen.add(each));
    } else if (typeof value === 'object' && value !== null) {
      Object.values(value).forEach(each => seen.add(each));
    }
  }
  return [...seen].filter(value => typeof value === 'object' || typeof value === 'function').length;
}

afterEach(() => {
  ends.splice(0).forEach(end => end());
});

describe('a run that is followed', () => {
  it('has its document, metrics and points', async () => {
    const host = new MemoryHost([run('a', 30)]);
    const model = followed(host, 'a');
    await ready(model, 30);
    expect(model.names.value).toEqual(['loss', 'val_loss']);
    expect(model.series('loss').step).toHaveLength(30);
    expect([model.ended.value, model.lost.value, model.log.value?.bytes]).toEqual([false, false, 480]);
  });

  it('is asked for once, however many views show it; the last one closes the connection', async () => {
    const host = new MemoryHost([run('a', 3), run('b', 4)]);
    const model = followed(host, 'a');
    expect(followed(host, 'a')).toBe(model);
    const other = followed(host, 'b');
    await ready(model, 3);
    await ready(other, 4);
    const socket = socketOf(host);
    expect(host.sockets).toHaveLength(1);
    expect(socket.sent.map(({ op }) => op)).toEqual(['subscribe', 'subscribe']);
    ends.splice(0, 1)[0]?.();
    expect(socket.sent).toHaveLength(2);
    ends.splice(0).forEach(end => end());
    expect(socket.sent.map(({ op }) => op)).toEqual(['subscribe', 'subscribe', 'unsubscribe', 'unsubscribe']);
    expect(socket.readyState).toBe(3);
  });

  it('takes only what is new after the connection broke', async () => {
    const host = new MemoryHost([run('a', 30)]);
    const model = followed(host, 'a');
    await ready(model, 30);
    (host.runs[0] as MemoryRun).points = 50;
    socketOf(host).close();
    await vi.waitFor(() => expect(model.lost.value).toBe(true));
    await ready(model, 50);
    expect(socketOf(host).sent).toEqual([
      { op: 'subscribe', sub: 1, workspace: 'w', run: 'a', points: 2000, have: { loss: 30, val_loss: 30 } }
    ]);
    expect([...model.series('loss').step]).toEqual(Array.from({ length: 50 }, (_, at) => at));
    expect(model.lost.value).toBe(false);
  });

  it('begins anew at a reset', async () => {
    const host = new MemoryHost([run('a', 30)]);
    const model = followed(host, 'a');
    await ready(model, 30);
    const socket = socketOf(host);
    socket.tell({ t: 'reset', sub: 1 });
    socket.tell({ t: 'metrics', sub: 1, names: ['val_loss', 'loss'] });
    socket.push({ ...pointsOf(host.runs[0] as MemoryRun, 0, 0, 5, 1), metric: 1 });
    await ready(model, 5);
    await vi.waitFor(() => expect(model.names.value).toEqual(['val_loss', 'loss']));
    expect(model.series('val_loss').length).toBe(0);
  });

  it('passes over frames of no name and of no subscription', async () => {
    const host = new MemoryHost([run('a', 3)]);
    const model = followed(host, 'a');
    await ready(model, 3);
    const socket = socketOf(host);
    socket.push({ ...pointsOf(host.runs[0] as MemoryRun, 0, 3, 4, 1), metric: 77 });
    socket.push(pointsOf(host.runs[0] as MemoryRun, 0, 3, 4, 99));
    socket.push(pointsOf(host.runs[0] as MemoryRun, 0, 3, 5, 1));
    await ready(model, 5);
  });

  it('holds the newest only while the page is hidden and draws no frames', () => {
    const model = followed(new MemoryHost([]), 'a');
    const tell = (count: number): number => {
      for (let at = 0; at < count; at++) {
        model.onRun(memoryDocument('a', 'Running'));
        model.onLog('log.txt', at);
        model.onMetrics(['loss']);
      }
      return reachable(model);
    };
    const few = tell(10);
    expect(tell(1000)).toBe(few); // No frame comes before this test has ended.
  });

  it('that has ended goes on being so when an answer to an action comes late', async () => {
    const host = new MemoryHost([run('a', 3)]);
    const model = followed(host, 'a');
    await ready(model, 3);
    let answer: (document: RunDocument) => void = () => undefined;
    const taken = model.take(
      new Promise(resolve => {
        answer = resolve;
      })
    );
    socketOf(host).tell({ t: 'run', sub: 1, run: memoryDocument('a', 'Canceled') });
    answer(memoryDocument('a', 'CancelRequested'));
    await taken;
    await vi.waitFor(() => expect(model.document.value?.state).toBe('Canceled'));
    await model.take(Promise.resolve(memoryDocument('a', 'Canceled', { name: 'brave_owl' })));
    await vi.waitFor(() => expect(model.document.value?.name).toBe('brave_owl'));
  });

  it('that is gone says so', async () => {
    const host = new MemoryHost([]);
    const model = followed(host, 'none');
    await vi.waitFor(() => expect(model.fault.value?.message).toBe('no run "none"'));
  });

  it('is followed again once it can be read again', async () => {
    const host = new MemoryHost([run('a', 30)]);
    const model = followed(host, 'a');
    await ready(model, 30);
    socketOf(host).tell({ t: 'gone', sub: 1, message: 'it cannot be read: [Errno 5]', hint: null });
    await vi.waitFor(() => expect(model.fault.value?.message).toBe('it cannot be read: [Errno 5]'));
    (host.runs[0] as MemoryRun).points = 50;
    await vi.waitFor(() => expect(model.series('loss').total).toBe(50), 10_000);
    await vi.waitFor(() => expect(model.fault.value).toBeNull());
    expect(socketOf(host).sent).toHaveLength(2);
  });

  it('is tried ever more seldom as long as it is gone, and at once when the connection is made again', async () => {
    vi.useFakeTimers();
    const host = new MemoryHost([]);
    followed(host, 'none');
    await vi.advanceTimersByTimeAsync(0);
    const { sent } = socketOf(host);
    const seconds: number[] = [];
    for (let second = 1; second <= 100; second++) {
      const before = sent.length;
      await vi.advanceTimersByTimeAsync(1000);
      seconds.push(...(sent.length > before ? [second] : []));
    }
    expect(seconds).toEqual([1, 3, 7, 15, 31, 61, 91]);
    socketOf(host).close();
    await vi.advanceTimersByTimeAsync(500);
    expect([host.sockets.length, socketOf(host).sent.length]).toEqual([2, 1]);
    vi.useRealTimers();
  });
});

describe('a workspace that is watched', () => {
  it('tells when the watch begins, also after a break', async () => {
    const host = new MemoryHost([]);
    const told: string[] = [];
    const end = sessionOf(host).stream.watch('w', {
      onBegin: () => told.push('begin'),
      onRuns: (changed, removed) => told.push(`${changed.length} ${removed.length}`),
      onGone: message => told.push(message)
    });
    ends.push(end);
    await vi.waitFor(() => expect(told).toEqual(['begin', '0 0']));
    socketOf(host).tell({ t: 'runs', sub: 1, changed: [memoryDocument('a', 'Running')], removed: ['b'], running: 1 });
    socketOf(host).close();
    await vi.waitFor(() => expect(told).toEqual(['begin', '0 0', '1 1', 'begin', '0 0']));
  });
});

describe('an answer', () => {
  it.each([
    [new Response('{"message": "no run \\"x\\"", "hint": "look"}', { status: 404 }), 404, 'no run "x"', 'look'],
    [
      new Response('<html>', { status: 502, statusText: 'Bad Gateway' }),
      502,
      'the server answered 502 Bad Gateway',
      null
    ],
    [new Response('', { status: 403 }), 403, 'the server answered 403', 'log in again: reload the page']
  ])('that is an error (%#) is a fault with message and hint', async (response, status, message, hint) => {
    const host = new MemoryHost([]);
    host.fetch = () => Promise.resolve(response);
    const fault = await sessionOf(host)
      .client.run('w', 'x')
      .catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ServerFault);
    expect(fault).toMatchObject({ status, message, hint });
  });

  it('that does not come is a fault too', async () => {
    const host = new MemoryHost([]);
    host.fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    await expect(sessionOf(host).client.about()).rejects.toMatchObject({ status: 0 });
  });

  it('is asked for at an address that no name can leave', async () => {
    const host = new MemoryHost([run('../../x?y#z', 1)]);
    await sessionOf(host).client.files('w/..', '../../x?y#z');
    await sessionOf(host).client.runs('w', { search: 'a&b=c', archived: undefined, sort: null, offset: 0 });
    expect(host.asked).toEqual([
      'GET w/w%2F../runs/..%2F..%2Fx%3Fy%23z/files',
      'GET w/w/runs?search=a%26b%3Dc&offset=0'
    ]);
  });
});
