import './browser';

import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { RunModel } from '../src/core/run_model';
import { sessionOf } from '../src/core/session';
import { FileLink, FilePicture } from '../src/views/run_file';
import { MetricView } from '../src/widget/metric_view';
import { type Model, WidgetHost } from '../src/widget/host';

type Message = Record<string, unknown> & { kind: string; id: number };

/** The kernel's end of a widget. */
class Kernel implements Model {
  readonly sent: Message[] = [];
  private readonly callbacks = new Map<string, (content: unknown, buffers: DataView[]) => void>();

  get(): unknown {
    return undefined;
  }
  set(): void {
    // nothing is kept
  }
  save_changes(): void {
    // nothing is kept
  }
  on(event: string, callback: (content: unknown, buffers: DataView[]) => void): void {
    this.callbacks.set(event, callback);
  }
  off(event: string): void {
    this.callbacks.delete(event);
  }
  send(content: unknown): void {
    this.sent.push(content as Message);
  }

  tell(content: object, ...buffers: Uint8Array<ArrayBuffer>[]): void {
    const views = buffers.map(buffer => new DataView(buffer.buffer));
    this.callbacks.get('msg:custom')?.(content, views);
  }
  answer(asked: Message | undefined, status: number, body: string, type = 'application/json'): void {
    this.tell({ kind: 'answer', id: asked?.id, status, type }, new TextEncoder().encode(body));
  }
  changes(): void {
    this.callbacks.get('comm_live_update')?.(undefined, []);
  }
  kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }
}

let kernel: Kernel;
let host: WidgetHost;

function begin(): void {
  kernel = new Kernel();
  const place = document.body.appendChild(document.createElement('div'));
  host = new WidgetHost(kernel, place, () => undefined);
}

function beginInFakeTime(): void {
  host.dispose();
  vi.useFakeTimers();
  begin();
}

beforeEach(begin);
afterEach(() => {
  vi.useRealTimers();
  cleanup();
  host.dispose();
  document.body.replaceChildren();
});

const tick = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

describe('the stream of a widget', () => {
  it('is open when the kernel says so', async () => {
    const [opened, closed] = [vi.fn(), vi.fn()];
    const socket = Object.assign(host.socket(), { onopen: opened, onclose: closed });
    await tick();
    expect([kernel.kinds(), socket.readyState, opened.mock.calls.length]).toEqual([['open'], 0, 0]);
    kernel.tell({ kind: 'opened', id: kernel.sent[0]?.id });
    expect([socket.readyState, opened.mock.calls.length]).toEqual([1, 1]);
    kernel.tell({ kind: 'closed', id: kernel.sent[0]?.id });
    expect([socket.readyState, closed.mock.calls.length]).toEqual([3, 1]);
  });

  it('that is closed at once is never asked for', async () => {
    host.socket().close();
    await tick();
    expect(kernel.kinds()).not.toContain('open');
  });

  it.each(['that says nothing', 'that was started anew'])('ends with a kernel %s', async how => {
    beginInFakeTime();
    const closed = vi.fn();
    Object.assign(host.socket(), { onclose: closed });
    await vi.advanceTimersByTimeAsync(0);
    kernel.tell({ kind: 'opened', id: kernel.sent[0]?.id });
    for (let beat = 0; beat < 10; beat++) {
      await vi.advanceTimersByTimeAsync(10_000);
      kernel.tell({ kind: 'alive' });
    }
    expect(closed).not.toHaveBeenCalled();
    if (how === 'that says nothing') {
      await vi.advanceTimersByTimeAsync(60_000);
    } else {
      kernel.changes();
    }
    expect(closed).toHaveBeenCalledOnce();
  });
});

describe('what a widget asks', () => {
  it('is sent once as long as it is not answered, and answered to all who ask', async () => {
    const both = [host.fetch('about'), host.fetch('about')];
    expect(kernel.sent).toHaveLength(1);
    kernel.answer(kernel.sent[0], 200, '{"a": 1}');
    expect(await Promise.all(both.map(async one => (await one).text()))).toEqual(['{"a": 1}', '{"a": 1}']);
    void host.fetch('about');
    void host.fetch('w/x/cancel', { method: 'POST' });
    void host.fetch('w/x/cancel', { method: 'POST' });
    expect(kernel.sent).toHaveLength(4);
  });

  it('waits as long as the kernel is there, and no longer', async () => {
    beginInFakeTime();
    const failed = vi.fn();
    host.fetch('about').catch(failed);
    for (let beat = 0; beat < 10; beat++) {
      await vi.advanceTimersByTimeAsync(10_000);
      kernel.tell({ kind: 'alive' });
    }
    expect(failed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(String(failed.mock.lastCall?.[0])).toContain('the kernel says nothing');
    host.fetch('about').catch(failed);
    expect(kernel.sent).toHaveLength(1);
    kernel.changes();
    await vi.advanceTimersByTimeAsync(0);
    expect(String(failed.mock.lastCall?.[0])).toContain('the kernel that answered this is gone');
  });
});

describe('a question of a widget', () => {
  it.each([
    ['Keep it going', false],
    ['Cancel the run', true]
  ])('is answered by "%s" with %s, and begins at the safe one', async (button, answer) => {
    const answered = host.confirm('Cancel the run "a"?', 'Cancel the run', 'Keep it going');
    expect(document.activeElement?.textContent).toBe('Keep it going');
    fireEvent.click(screen.getByRole('button', { name: button }));
    expect(await answered).toBe(answer);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('is ended by Escape', async () => {
    const answered = host.confirm('Delete it?', 'Delete');
    fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' });
    expect(await answered).toBe(false);
  });
});

describe('a file of a run', () => {
  const model = (): RunModel => sessionOf(host).follow('w', 'a')[0];
  const asked = (): Message | undefined => kernel.sent.findLast(({ kind }) => kind === 'fetch');

  it('comes as a picture over the messages of the widget', async () => {
    Object.assign(URL, { createObjectURL: () => 'blob:picture', revokeObjectURL: () => undefined });
    render(<FilePicture host={host} model={model()} name="a.png" alt="a" />);
    await waitFor(() => expect(asked()?.['path']).toBe('w/w/runs/a/download?name=a.png'));
    kernel.answer(asked(), 200, 'picture', 'image/png');
    expect((await screen.findByRole('img')).getAttribute('src')).toBe('blob:picture');
  });

  it('that is too large says what to do', async () => {
    render(
      <FileLink host={host} model={model()} name="outputs/a" class="">
        Download
      </FileLink>
    );
    fireEvent.click(screen.getByRole('button', { name: 'Download' }));
    kernel.answer(asked(), 413, '{"message": "a widget passes 8 bytes", "hint": "download_file gets it"}');
    expect((await screen.findByRole('alert')).textContent).toContain('a widget passes 8 bytes\ndownload_file gets it');
  });
});

it('a plot of a run that cannot be read says so', async () => {
  render(<MetricView host={host} workspace="w" run="none" metric="loss" />);
  await waitFor(() => expect(kernel.kinds()).toContain('open'));
  const { id } = kernel.sent.find(({ kind }) => kind === 'open') as Message;
  kernel.tell({ kind: 'opened', id });
  const text = kernel.sent.find(({ kind }) => kind === 'text')?.['text'];
  const { sub } = JSON.parse(text as string) as { sub: number };
  kernel.tell({ kind: 'stream', id, text: JSON.stringify({ t: 'gone', sub, message: 'no run "none"', hint: null }) });
  expect((await screen.findByRole('alert')).textContent).toContain('no run "none"');
});
