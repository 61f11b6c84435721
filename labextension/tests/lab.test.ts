import './browser';

import { Widget } from '@lumino/widgets';
import { h } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { WorkspaceInfo } from '../src/core/contract';
import { Keeper } from '../src/lab/keeper';
import { Located } from '../src/lab/located';
import { magicLine } from '../src/lab/magic_line';
import { DETAILS_MIME, RUN_MIME, RunOutput } from '../src/lab/run_output';
import { TableHost } from './table_host';

const WORKSPACE: WorkspaceInfo = { key: 'w', name: 'project', path: '/p', current: true };
const NONE = { name: '', experiment: '', target: 'local', environment: '', arguments: '', parameters: {} };

it.each([
  [NONE, '%%submit'],
  [{ ...NONE, name: 'first' }, '%%submit first'],
  [{ ...NONE, name: "it's" }, `%%submit 'it'"'"'s'`],
  [{ ...NONE, name: '--block' }, '%%submit --name=--block'],
  [{ ...NONE, name: '-x y' }, "%%submit --name='-x y'"],
  [{ ...NONE, name: '$(rm) `x`' }, "%%submit '$(rm) `x`'"],
  [
    { ...NONE, name: 'a', experiment: 'e 1', target: 'box', environment: 'req.txt' },
    "%%submit a --experiment 'e 1' --target box --env req.txt"
  ],
  [{ ...NONE, experiment: '-e' }, '%%submit --experiment=-e']
])('the line of a form: %j', (form, line) => {
  expect(magicLine(form)).toBe(line);
});

/** A host that tells where runs are, as long as they are there. */
class FindingHost extends TableHost {
  readonly there = new Set<string>();

  override fetch(path: string, init: RequestInit = {}): Promise<Response> {
    if (path.startsWith('find?')) {
      const run = new URLSearchParams(path.slice(5)).get('run') ?? '';
      this.asked.push({ method: 'GET', path, body: null });
      return Promise.resolve(new Response(JSON.stringify({ workspace: this.there.has(run) ? WORKSPACE : null })));
    }
    if (path.endsWith('/outputs')) {
      const id = path.split('/').at(-2) ?? '';
      const bundle = (mime: string) => ({ data: { [mime]: { id, state: 'Completed' } }, metadata: {} });
      this.asked.push({ method: 'GET', path, body: null });
      return Promise.resolve(
        new Response(JSON.stringify({ picture: bundle(RUN_MIME), details: bundle(DETAILS_MIME) }))
      );
    }
    return super.fetch(path, init);
  }
}

function mimeModel(run: string) {
  return { data: { [RUN_MIME]: { id: run, state: 'Running' }, 'text/plain': run }, metadata: {} } as never;
}

function outputOf(host: FindingHost): { output: RunOutput; follows: string[] } {
  const follows: string[] = [];
  const options = { mimeType: RUN_MIME, sanitizer: null, resolver: null, linkHandler: null, latexTypesetter: null };
  const output = new RunOutput(
    options as never,
    new Located(host),
    (_, run) => h('b', null, `live ${run}`),
    (_, __, run) => {
      follows.push(`+${run}`);
      return () => follows.push(`-${run}`);
    }
  );
  return { output, follows };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the output of a run', () => {
  it('follows one run at a time, and none once it is gone', async () => {
    const host = new FindingHost([]);
    host.there.add('a').add('b');
    const { output, follows } = outputOf(host);
    await output.renderModel(mimeModel('a'));
    expect(output.node.textContent).toBe('live a');
    await output.renderModel(mimeModel('a'));
    await output.renderModel(mimeModel('b'));
    expect(follows).toEqual(['+a', '-a', '+b']);
    expect([output.shows('a'), output.shows('b')]).toEqual([false, true]);
    output.dispose();
    expect(follows.at(-1)).toBe('-b');
  });

  it('shows what the notebook holds of a run that was deleted', async () => {
    const host = new FindingHost([]);
    host.there.add('a');
    const located = new Located(host);
    expect((await located.find('a', ''))?.key).toBe('w');
    expect((await located.find('a', ''))?.key).toBe('w');
    expect(host.askedFor('find?')).toHaveLength(1);
    host.there.clear();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await located.find('a', '')).toBeNull();
    const { output } = outputOf(host);
    await output.renderModel(mimeModel('a'));
    expect(output.node.querySelector('pre')?.textContent).toBe('a');
  });
});

describe('what a notebook holds of a run', () => {
  async function kept(readOnly = false) {
    const host = new FindingHost([]);
    host.there.add('a');
    const saved = { output_type: 'display_data', data: { [RUN_MIME]: { id: 'a', state: 'Running' } }, metadata: {} };
    const held: unknown[] = [saved];
    const outputs = {
      get length() {
        return held.length;
      },
      get: (index: number) => ({ toJSON: () => held[index] }),
      set: (index: number, value: unknown) => {
        held[index] = value;
      }
    };
    const { output } = outputOf(host);
    await output.renderModel(mimeModel('a'));
    const node = document.createElement('div');
    const panel = {
      id: 'p',
      node,
      context: { model: { readOnly } },
      content: { model: { cells: [{ type: 'code', outputs }] } }
    };
    const find = (test: (panel: unknown) => boolean): unknown => (test(panel) ? panel : undefined);
    void new Keeper(host, { find } as never).keep(output, 'w', 'a', () => 'Completed');
    return { held, saved, node, output };
  }

  it('is made true when the run has ended, also where its output was closed up meanwhile', async () => {
    const { held, saved, node, output } = await kept();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(held).toEqual([saved]);
    Widget.attach(output, document.body.appendChild(node));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(held).toMatchObject([{ data: { [RUN_MIME]: { state: 'Completed' } } }]);
  });

  it('stays as it is where the notebook cannot be written', async () => {
    const { held, saved, node, output } = await kept(true);
    Widget.attach(output, document.body.appendChild(node));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(held).toEqual([saved]);
  });
});
