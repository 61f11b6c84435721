import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

/** Width in pixels of an element, which may change; `first` before it is there. */
export function useWidth(place: RefObject<Element>, first: number): number {
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    const { current } = place;
    if (!current) {
      return undefined;
    }
    const observer = new ResizeObserver(() => setWidth(current.clientWidth || first));
    observer.observe(current);
    return () => observer.disconnect();
  });
  return width;
}
