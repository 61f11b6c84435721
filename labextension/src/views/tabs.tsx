/** Tabs as ARIA has them: one is in the order of focus, arrow keys go to the others. */

import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export interface Tab<Key extends string> {
  key: Key;
  title: string;
  /** Small text behind the title, such as a number. */
  note?: string;
  content: () => ComponentChildren;
}

export interface TabsProps<Key extends string> {
  label: string;
  chosen: Key;
  onChoose: (key: Key) => void;
  tabs: readonly Tab<Key>[];
}

export function Tabs<Key extends string>({ label, chosen, onChoose, tabs }: TabsProps<Key>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const at = Math.max(
    0,
    tabs.findIndex(({ key }) => key === chosen)
  );
  const current = tabs[at];
  const go = (to: number): void => {
    const tab = tabs[(to + tabs.length) % tabs.length];
    if (tab) {
      onChoose(tab.key);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[tabs.indexOf(tab)]?.focus();
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      go(to);
    }
  };
  return (
    <div class="amlnb-tabs">
      <div class="amlnb-tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ key, title, note }) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${id}-tab-${key}`}
            aria-selected={key === current?.key}
            aria-controls={`${id}-panel`}
            tabIndex={key === current?.key ? 0 : -1}
            class="amlnb-tab"
            onClick={() => onChoose(key)}
          >
            {title}
            {note ? <span class="amlnb-tab-note">{note}</span> : null}
          </button>
        ))}
      </div>
      {current ? (
        <div
          key={current.key}
          class="amlnb-tab-panel"
          role="tabpanel"
          id={`${id}-panel`}
          aria-labelledby={`${id}-tab-${current.key}`}
        >
          {current.content()}
        </div>
      ) : null}
    </div>
  );
}
