/** What jsdom lacks of a browser; it draws nothing and every element is on the screen. */

import { configure } from '@testing-library/preact';

configure({ asyncUtilTimeout: 10_000 });

class Observer {
  constructor(private readonly told: (entries: { isIntersecting: boolean }[]) => void) {}
  observe(): void {
    queueMicrotask(() => this.told([{ isIntersecting: true }]));
  }
  unobserve(): void {
    // nothing is kept
  }
  disconnect(): void {
    // nothing is kept
  }
}

Object.assign(globalThis, {
  IntersectionObserver: Observer,
  ResizeObserver: Observer,
  DragEvent: class extends MouseEvent {},
  matchMedia: () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined })
});

const { prototype } = HTMLDialogElement;
prototype.show = prototype.showModal = function show(this: HTMLDialogElement) {
  this.open = true;
};
Element.prototype.scrollIntoView = () => undefined;
