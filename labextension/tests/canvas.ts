/** A canvas for jsdom that takes every stroke and shows none, and elements that have a size. */

const context: unknown = new Proxy(
  {},
  {
    get: (held: Record<string | symbol, unknown>, name) =>
      name in held ? held[name] : name === 'measureText' ? () => ({ width: 20 }) : () => undefined,
    set: (held: Record<string | symbol, unknown>, name, value) => {
      held[name] = value;
      return true;
    }
  }
);

class Strokes {
  addPath(): void {
    // nothing is drawn
  }
}

Object.assign(globalThis, { Path2D: Strokes });
Object.defineProperty(HTMLCanvasElement.prototype, 'getContext', {
  value(this: HTMLCanvasElement) {
    Object.assign(context as object, { canvas: this });
    return context;
  }
});
for (const [name, size] of [
  ['clientWidth', 300],
  ['clientHeight', 200]
] as const) {
  Object.defineProperty(HTMLElement.prototype, name, { get: () => size });
}
