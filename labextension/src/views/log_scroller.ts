/** Keeps the lines of a log where they are on the screen while the window of lines changes around them. */

import { batch, signal, type Signal } from '@preact/signals';

import type { LogLine } from '../core/contract';
import type { LogModel } from '../core/log_model';
import { layoutOf, LINE_PX, moveAt, type LogLayout, type LogWindow } from './log_layout';

export class LogScroller {
  /** Top and height of what is seen, in pixels. */
  readonly view = signal({ top: 0, height: 400 });
  private element: HTMLElement | null = null;
  /** The line at the top of the view, and how many pixels of it are above. */
  private anchor = { byte: 0, offset: 0 };
  /** A jump is under way: places of the scroll bar mean nothing new. */
  private jumping = false;
  private lastTop = 0;

  constructor(readonly log: LogModel) {}

  /** Whether the newest line stays in view. */
  get follows(): Signal<boolean> {
    return this.log.follows;
  }

  attach(element: HTMLElement): () => void {
    this.element = element;
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(element);
    this.measure();
    return () => {
      observer.disconnect();
      this.element = null;
    };
  }

  layout(): LogLayout {
    return layoutOf(this.window());
  }

  /** Byte of the first line that is seen. */
  firstSeen(): number {
    return this.lineAt(this.view.peek().top)?.at ?? 0;
  }

  /** Whether the line that begins at this byte is seen. */
  isSeen(byte: number | null): byte is number {
    const { top, height } = this.view.peek();
    return byte !== null && byte >= this.firstSeen() && byte <= (this.lineAt(top + height)?.at ?? 0);
  }

  /** The person has scrolled. */
  onScroll(): void {
    const { element, log } = this;
    if (!element || this.jumping) {
      return;
    }
    const { scrollTop: top, clientHeight: height } = element;
    const layout = this.layout();
    const at = Math.floor((top - layout.before) / LINE_PX);
    const line = log.lines.peek()[Math.max(0, at)];
    this.anchor = { byte: line?.at ?? 0, offset: top - layout.before - Math.max(0, at) * LINE_PX };
    batch(() => {
      this.view.value = { top, height };
      this.follows.value = this.followsAt(top, height, element.scrollHeight);
    });
    const move = moveAt(top, height, layout, this.window());
    if (move.kind === 'more') {
      void log.more(move.direction);
    } else if (move.kind === 'jump' && !this.follows.peek()) {
      void this.show(move.byte);
    } else if (move.kind === 'end' && !this.follows.peek()) {
      void this.follow();
    }
  }

  /** Show the line that holds this byte, at so many pixels from the top. */
  async show(byte: number, below = 0): Promise<void> {
    const { log } = this;
    this.follows.value = false;
    if (byte < log.from || byte >= log.to) {
      this.jumping = true;
      await log.jump(byte);
      this.jumping = false;
    }
    this.anchor = { byte: log.lines.peek()[log.indexOf(byte)]?.at ?? 0, offset: -below };
    this.settle();
  }

  async follow(): Promise<void> {
    this.follows.value = true;
    if (!this.log.atEnd) {
      await this.log.openEnd();
    }
    this.settle();
  }

  /** Put the view where it belongs once the lines have been drawn. */
  settle(): void {
    const { element, log } = this;
    if (!element) {
      return;
    }
    const layout = this.layout();
    const bottom = layout.before + layout.held + layout.after - element.clientHeight;
    const anchored = layout.before + log.indexOf(this.anchor.byte) * LINE_PX + this.anchor.offset;
    const top = Math.max(0, this.follows.peek() ? bottom : anchored);
    if (Math.abs(element.scrollTop - top) > 0.5) {
      element.scrollTop = top;
    }
    this.lastTop = element.scrollTop;
    this.view.value = { top: element.scrollTop, height: element.clientHeight };
    if (moveAt(top, element.clientHeight, layout, this.window()).kind === 'more' && !this.jumping) {
      this.onScroll();
    }
  }

  /** Going up ends it, the bottom begins it; lines that come below change nothing. */
  private followsAt(top: number, height: number, whole: number): boolean {
    const goesUp = top < this.lastTop - 1;
    this.lastTop = top;
    return !goesUp && (this.follows.peek() || (this.log.atEnd && top + height >= whole - LINE_PX));
  }

  private measure(): void {
    if (this.element) {
      this.settle();
    }
  }

  /** The line at this pixel, of those that are held. */
  private lineAt(pixel: number): LogLine | undefined {
    const lines = this.log.lines.peek();
    const at = Math.floor((pixel - this.layout().before) / LINE_PX);
    return lines[Math.min(Math.max(0, at), lines.length - 1)];
  }

  private window(): LogWindow {
    const { log } = this;
    return { size: log.size.peek(), from: log.from, to: log.to, count: log.lines.peek().length, average: log.average };
  }
}
