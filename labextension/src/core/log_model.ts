/** A window of a log, however long the log is: lines that follow each other, read by byte ranges. */

import { batch, signal } from '@preact/signals';

import { toldFault, type Client, type Direction } from './client';
import type { Fault, LogLine, LogPart } from './contract';

/** How much is read at a time, and how many lines are held. */
export interface LogLimits {
  bytes: number;
  lines: number;
}

const USUAL: LogLimits = { bytes: 96 * 1024, lines: 6000 };
const LINE_BYTES = 80;

export class LogModel {
  readonly lines = signal<readonly LogLine[]>([]);
  /** Bytes of the whole file. */
  readonly size = signal(0);
  readonly fault = signal<Fault | null>(null);
  /** Whether the newest line stays among those that are held. */
  readonly follows = signal(true);
  /** Bytes that the lines cover: [from, to). */
  from = 0;
  to = 0;
  /** Bytes of a line, as an estimate for those that are not held. */
  average = LINE_BYTES;
  /** Goes up when other lines are shown than those before. */
  private generation = 0;
  private reading: Promise<void> | null = null;
  /** Bytes of the file as they were told last. */
  private told = 0;
  private catching: Promise<void> | null = null;
  /** Reads again what could not be read last. */
  private failed: (() => Promise<void>) | null = null;

  constructor(
    private readonly client: Client,
    private readonly workspace: string,
    private readonly run: string,
    readonly file: string,
    private readonly limits: LogLimits = USUAL
  ) {}

  /** Whether the last line is held. */
  get atEnd(): boolean {
    return this.to >= this.size.peek();
  }

  /** Show the end. */
  openEnd(): Promise<void> {
    this.follows.value = true;
    return this.begin(this.size.peek(), 'backward');
  }

  /** Show the line that holds this byte, and what follows. */
  jump(byte: number): Promise<void> {
    this.follows.value = false;
    return this.begin(Math.max(0, Math.floor(byte)), 'forward');
  }

  /** Read on at an end of the window; does nothing while something is being read. */
  more(direction: Direction): Promise<void> {
    const there = direction === 'forward' ? this.atEnd : this.from === 0;
    if (there || this.reading) {
      return this.reading ?? Promise.resolve();
    }
    return this.extend(direction);
  }

  /** The file has this size now; if its end was shown, it still is, however fast it grows. */
  async grown(bytes: number): Promise<void> {
    const replaced = bytes < this.told;
    this.told = bytes;
    if (replaced) {
      this.size.value = bytes;
      await this.openEnd();
      return;
    }
    const wasAtEnd = this.atEnd;
    this.size.value = Math.max(bytes, this.size.peek());
    if (this.follows.peek() || wasAtEnd) {
      this.catching ??= this.catchUp().finally(() => {
        this.catching = null;
      });
      await this.catching;
    }
  }

  /** Find out whether the file has grown, where nobody tells, if its end is what is shown; the first look shows it. */
  async look(): Promise<void> {
    if (this.reading || !(this.follows.peek() || this.atEnd)) {
      return;
    }
    await this.grow();
    if (this.to < this.size.peek() && this.follows.peek()) {
      await this.openEnd();
    }
  }

  /** Read again what could not be read, and go on from there. */
  async retry(): Promise<void> {
    await this.failed?.();
    if (this.follows.peek()) {
      await this.grown(this.told);
    }
  }

  /** Read up to the size that was told last, which may change meanwhile; what is told while a part comes is not lost. */
  private async catchUp(): Promise<void> {
    while (this.to < this.told) {
      if (this.reading) {
        await this.reading;
        continue;
      }
      const before = this.to;
      if (this.told - before <= this.limits.bytes) {
        await this.grow();
      } else if (this.follows.peek()) {
        await this.openEnd();
      }
      if (this.to <= before) {
        return;
      }
    }
  }

  /** Position of the line that holds this byte. */
  indexOf(byte: number): number {
    const lines = this.lines.peek();
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lines[middle] as LogLine).at <= byte) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return Math.max(0, low - 1);
  }

  private begin(from: number, direction: Direction): Promise<void> {
    this.generation++;
    this.reading = null;
    this.failed = null;
    return this.read(from, direction, part => {
      this.from = part.from;
      this.to = part.to;
      this.average = part.lines.length ? Math.max(4, (part.to - part.from) / part.lines.length) : LINE_BYTES;
      this.lines.value = part.lines;
    });
  }

  private async extend(direction: Direction): Promise<void> {
    if (direction === 'backward') {
      await this.read(this.from, direction, part => this.prepend(part));
      return;
    }
    await this.readOn(part => this.append(part, Infinity));
  }

  /** Take in what was written: who follows sees it; who does not keeps the lines that are held, as many as there is room for. */
  private grow(): Promise<void> {
    return this.readOn(part => this.append(part, this.follows.peek() ? Infinity : this.limits.lines));
  }

  private readOn(take: (part: LogPart) => void): Promise<void> {
    // The last line may have grown since: it is read again.
    return this.read(this.lines.peek().at(-1)?.at ?? this.to, 'forward', take);
  }

  /** @param most Lines beyond so many are left for later; else the first ones make room. */
  private append(part: LogPart, most: number): void {
    const kept = this.lines.peek().filter(line => line.at < part.from);
    const come = [...kept, ...part.lines];
    const left = come[most];
    const lines = left ? come.slice(0, most) : come;
    const first = Math.max(0, lines.length - this.limits.lines);
    this.to = left ? left.at : Math.max(part.to, part.from);
    this.from = first > 0 ? (lines[first] as LogLine).at : Math.min(this.from, part.from);
    this.lines.value = lines.slice(first);
  }

  private prepend(part: LogPart): void {
    const lines = [...part.lines, ...this.lines.peek()];
    const dropped = lines[this.limits.lines];
    this.from = part.from;
    this.to = dropped ? dropped.at : this.to;
    this.lines.value = lines.slice(0, this.limits.lines);
  }

  private read(from: number, direction: Direction, take: (part: LogPart) => void): Promise<void> {
    const { generation, client, workspace, run, file, limits } = this;
    const ask = async (): Promise<void> => {
      try {
        const part = await client.log(workspace, run, { file, from, bytes: limits.bytes, direction });
        if (generation === this.generation) {
          batch(() => {
            this.size.value = Math.max(part.size, this.size.peek());
            this.fault.value = null;
            this.failed = null;
            take(part);
          });
        }
      } catch (error) {
        if (generation === this.generation) {
          this.fault.value = toldFault(error);
          this.failed = () => this.read(from, direction, take);
        }
      }
    };
    const reading = ask().finally(() => {
      if (this.reading === reading) {
        this.reading = null;
      }
    });
    this.reading = reading;
    return reading;
  }
}
