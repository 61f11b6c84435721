import { cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ServerFault } from '../src/core/client';
import { FaultBox } from '../src/views/fault_box';
import { useAnswer, type Renewal } from '../src/views/use_answer';

const trans = (text: string): string => text;

/** A server that takes `takesMs` for each answer: how often it was asked. */
class Server {
  asked = 0;
  takesMs = 0;
  fault: ServerFault | null = null;

  readonly ask = async (): Promise<string> => {
    const told = `answer ${++this.asked}`;
    await new Promise(resolve => setTimeout(resolve, this.takesMs));
    if (this.fault !== null) {
      throw this.fault;
    }
    return told;
  };
}

interface ShownProps {
  ask: () => Promise<string>;
  question?: string;
  renewal?: Renewal;
}

function Shown({ ask, question = '', renewal = {} }: ShownProps) {
  const { answer, fault, again } = useAnswer(ask, [question], renewal);
  return (
    <main>
      {answer ?? 'waits'}
      {fault === null ? null : <FaultBox fault={fault} again={again} trans={trans} />}
    </main>
  );
}

/** What is shown after some time. */
async function after(ms: number): Promise<string> {
  await vi.advanceTimersByTimeAsync(ms);
  await vi.advanceTimersByTimeAsync(50); // It is drawn.
  return document.querySelector('main')?.textContent ?? '';
}

function hide(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('an answer that is asked for again and again', () => {
  it('is shown, however slow it is; the next question waits for it', async () => {
    const server = new Server();
    server.takesMs = 9000;
    render(<Shown ask={server.ask} renewal={{ everyMs: 5000 }} />);
    expect([await after(8000), server.asked]).toEqual(['waits', 1]);
    expect([await after(1000), server.asked]).toEqual(['answer 1', 1]);
    expect([await after(14_000), server.asked]).toEqual(['answer 2', 2]);
  });

  it('is not asked for while nobody sees the page, and at once when it is seen', async () => {
    const server = new Server();
    render(<Shown ask={server.ask} renewal={{ everyMs: 5000 }} />);
    await after(0);
    hide(true);
    expect([await after(60_000), server.asked]).toEqual(['answer 1', 1]);
    hide(false);
    expect([await after(0), server.asked]).toEqual(['answer 2', 2]);
  });

  it('comes also where what it tells of changes faster than it', async () => {
    const server = new Server();
    server.takesMs = 150;
    const { rerender } = render(<Shown ask={server.ask} renewal={{ version: 0 }} />);
    for (let version = 1; version <= 30; version++) {
      await after(50);
      rerender(<Shown ask={server.ask} renewal={{ version }} />);
    }
    const text = await after(0);
    expect(Number(text.split(' ')[1])).toBeGreaterThan(3);
    expect(server.asked).toBeLessThan(9);
    const last = `answer ${server.asked + 1}`;
    expect(await after(2000)).toBe(last);
  });
});

it('an answer to the question before is not shown', async () => {
  const slow = (): Promise<string> => new Promise(resolve => setTimeout(() => resolve('old'), 1000));
  const { rerender } = render(<Shown ask={slow} question="a" />);
  await after(0);
  rerender(<Shown ask={() => Promise.resolve('new')} question="b" />);
  expect([await after(0), await after(2000)]).toEqual(['new', 'new']);
});

describe('a server', () => {
  it.each([0, 502, 503, 504])('that cannot be reached (%i) is asked again by itself', async status => {
    const server = new Server();
    server.fault = new ServerFault(status, 'the server does not answer', 'see that it runs');
    render(<Shown ask={server.ask} />);
    expect(await after(0)).toContain('the server does not answer');
    server.fault = null;
    expect(await after(10_000)).toBe('answer 2');
    expect([await after(60_000), server.asked]).toEqual(['answer 2', 2]);
  });

  it('that refuses is asked again at a click', async () => {
    const server = new Server();
    server.fault = new ServerFault(500, 'the disk is full', null);
    render(<Shown ask={server.ask} />);
    expect([await after(60_000), server.asked]).toEqual(['waitsthe disk is fullTry again', 1]);
    server.fault = null;
    screen.getByRole('button', { name: 'Try again' }).click();
    expect(await after(0)).toBe('answer 2');
  });
});
