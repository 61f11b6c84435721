import { describe, expect, it } from 'vitest';

import { MemoryHost } from '../dev/memory_host';
import { memoryDocument, type MemoryRun } from '../dev/memory_run';
import { contrasting, readable } from '../src/core/colours';
import { LogModel } from '../src/core/log_model';
import { sessionOf } from '../src/core/session';
import { layoutOf, moveAt, type LogWindow } from '../src/views/log_layout';
import { segmentsOf } from '../src/views/log_line';

const LINE = 48;

function hostOf(lines: number): { host: MemoryHost; run: MemoryRun; log: LogModel } {
  const document = memoryDocument('a', 'Running');
  const run = {
    document,
    metrics: [],
    points: 0,
    rate: 0,
    lines,
    line: (at: number) => ({ text: `line ${at}`, styles: [] })
  };
  const host = new MemoryHost([run]);
  const log = new LogModel(sessionOf(host).client, 'w', 'a', 'log.txt', { bytes: 10 * LINE, lines: 25 });
  return { host, run, log };
}

function shown(log: LogModel): [string | undefined, string | undefined, number] {
  const lines = log.lines.value;
  return [lines[0]?.text, lines.at(-1)?.text, lines.length];
}

describe('the window of a log', () => {
  it('begins at the end and grows with the file', async () => {
    const { log, run } = hostOf(100);
    await log.grown(100 * LINE);
    expect(shown(log)).toEqual(['line 90', 'line 99', 10]);
    run.lines = 103;
    await log.grown(103 * LINE);
    expect(shown(log)).toEqual(['line 90', 'line 102', 13]);
    expect([log.from, log.to, log.atEnd]).toEqual([90 * LINE, 103 * LINE, true]);
  });

  it('goes to the end at once where very much has come', async () => {
    const { log, run } = hostOf(100);
    await log.grown(100 * LINE);
    run.lines = 90_000;
    await log.grown(90_000 * LINE);
    expect(shown(log)).toEqual(['line 89990', 'line 89999', 10]);
  });

  it('keeps to the end of a file that has grown again whenever a part of it comes', async () => {
    const { host, run, log } = hostOf(100);
    const fetch = host.fetch.bind(host);
    host.fetch = (path, init) => {
      run.lines += 3;
      return fetch(path, init);
    };
    for (let told = 0; told < 8; told++) {
      run.lines += 40;
      await Promise.all([log.grown((run.lines - 20) * LINE), log.grown(run.lines * LINE)]);
      expect(log.to).toBeGreaterThanOrEqual(run.lines * LINE - 20 * LINE);
    }
    const told = run.lines;
    await log.grown(told * LINE);
    expect(log.lines.value.some(({ text }) => text === `line ${told - 1}`)).toBe(true);
  });

  it('is read on at both ends and stays bounded', async () => {
    const { log } = hostOf(1000);
    log.size.value = 1000 * LINE;
    await log.jump(500 * LINE + 7);
    expect(shown(log)).toEqual(['line 500', 'line 509', 10]);
    await log.more('backward');
    expect(shown(log)).toEqual(['line 490', 'line 509', 20]);
    await log.more('backward');
    expect([shown(log), log.to]).toEqual([['line 480', 'line 504', 25], 505 * LINE]);
    await log.more('forward');
    expect([shown(log), log.from]).toEqual([['line 489', 'line 513', 25], 489 * LINE]);
  });

  it('stays where it is when the file grows below', async () => {
    const { log, run } = hostOf(1000);
    log.size.value = 1000 * LINE;
    await log.jump(0);
    run.lines = 2000;
    await log.grown(2000 * LINE);
    expect([shown(log), log.size.value]).toEqual([['line 0', 'line 9', 10], 2000 * LINE]);
  });

  it('holds still at the end of a file that grows, for who does not follow', async () => {
    const { log, run } = hostOf(100);
    await log.grown(100 * LINE);
    log.follows.value = false;
    for (; run.lines < 200; run.lines += 7) {
      await log.grown(run.lines * LINE);
      expect(log.lines.value[0]?.text).toBe('line 90');
    }
    expect([shown(log), log.to]).toEqual([['line 90', 'line 114', 25], 115 * LINE]);
    await log.more('forward');
    expect(shown(log)).toEqual(['line 99', 'line 123', 25]);
  });

  it('begins anew when the file was replaced by a shorter one', async () => {
    const { log, run } = hostOf(100);
    await log.grown(100 * LINE);
    run.lines = 4;
    await log.grown(4 * LINE);
    expect([shown(log), log.size.value]).toEqual([['line 0', 'line 3', 4], 4 * LINE]);
  });

  it('reads the last line again: it may have been half', async () => {
    const { log, run } = hostOf(10);
    await log.grown(10 * LINE);
    run.line = at => ({ text: `line ${at} is whole`, styles: [] });
    run.lines = 11;
    await log.grown(11 * LINE);
    expect(log.lines.value.slice(-2).map(({ text }) => text)).toEqual(['line 9 is whole', 'line 10 is whole']);
    expect(log.lines.value.at(-3)?.text).toBe('line 8');
  });

  it('of which nobody tells is looked at: its end first, then what came', async () => {
    const { log, run } = hostOf(100);
    await log.look();
    expect(shown(log)).toEqual(['line 90', 'line 99', 10]);
    run.lines = 102;
    await log.look();
    expect(shown(log)).toEqual(['line 90', 'line 101', 12]);
    await log.jump(0);
    run.lines = 103;
    await log.look();
    expect(shown(log)).toEqual(['line 0', 'line 9', 10]);
  });

  it('tells what the server could not do', async () => {
    const { log, host } = hostOf(10);
    host.runs.length = 0;
    await log.grown(10 * LINE);
    expect(log.fault.value?.message).toBe('no run "a"');
  });

  it('reads again what could not be read, up to the end', async () => {
    const { log, host, run } = hostOf(100);
    await log.grown(100 * LINE);
    host.runs.length = 0;
    run.lines = 105;
    await log.grown(105 * LINE);
    expect([log.fault.value?.message, shown(log)]).toEqual(['no run "a"', ['line 90', 'line 99', 10]]);
    host.runs.push(run);
    await log.retry();
    expect([log.fault.value, shown(log)]).toEqual([null, ['line 90', 'line 104', 15]]);
  });

  it.each([
    [0, 0],
    [5 * LINE, 5],
    [5 * LINE + 47, 5],
    [999 * LINE, 9]
  ])('finds the line of byte %d', async (byte, position) => {
    const { log } = hostOf(10);
    await log.grown(10 * LINE);
    expect(log.indexOf(byte)).toBe(position);
  });
});

describe('the scroll bar of a log', () => {
  const whole: LogWindow = { size: 1000, from: 0, to: 1000, count: 20, average: 50 };
  const middle: LogWindow = { size: 1e10, from: 5e9, to: 5e9 + 5000, count: 100, average: 50 };

  it('has the true height of what is held, and a bounded one of 10 GB', () => {
    expect(layoutOf(whole)).toMatchObject({ before: 0, held: 360, after: 0 });
    const { before, held, after } = layoutOf(middle);
    expect([held, before + held + after < 6_100_000]).toEqual([1800, true]);
  });

  it.each<[string, number, string]>([
    ['the top', 0, 'jump'],
    ['just above', -300, 'more'],
    ['inside', 900, 'none'],
    ['just below', 1700, 'more']
  ])('asks for more at %s', (_, from, kind) => {
    const layout = layoutOf(middle);
    const top = from === 0 ? 0 : layout.before + from;
    expect(moveAt(top, 400, layout, middle).kind).toBe(kind);
  });

  it('goes to the very end at its bottom', () => {
    const { before, held, after } = layoutOf(middle);
    expect(moveAt(before + held + after - 400, 400, layoutOf(middle), middle)).toEqual({ kind: 'end' });
    expect(moveAt(0, 400, layoutOf(whole), whole)).toEqual({ kind: 'none' });
  });

  it('goes to the byte that is told by its place', () => {
    const move = moveAt(1_500_000, 400, layoutOf(middle), middle);
    expect(move).toMatchObject({ kind: 'jump', byte: 2.5e9 });
  });
});

describe('a line', () => {
  it('is cut where its styles and what is searched for begin and end', () => {
    const pieces = segmentsOf({ at: 0, text: 'Error: no Error', styles: [[0, 8, { colour: 1, bold: true }]] }, 'error');
    expect(pieces.map(({ text, style, found }) => [text, style !== null, found])).toEqual([
      ['Error', true, true],
      [': n', true, false],
      ['o ', false, false],
      ['Error', false, true]
    ]);
  });

  it('of a megabyte is cut off', () => {
    const [piece] = segmentsOf({ at: 0, text: 'x'.repeat(1_000_000), styles: [[0, 1e6, { colour: 2 }]] }, '');
    expect(piece?.text.length).toBeLessThan(5000);
  });

  it('has colours that can be read on both themes', () => {
    expect(readable([0, 0, 0]).every(part => part > 80)).toBe(true);
    expect(readable([255, 255, 255]).every(part => part < 150)).toBe(true);
    expect([contrasting([255, 255, 0]), contrasting([0, 0, 90])]).toEqual(['#000', '#fff']);
  });
});
