/** A button with a menu, as ARIA has it. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { Icon, type IconName } from './icons';

export interface MenuItem {
  title: string;
  onChoose: () => void;
}

export interface MenuProps {
  icon: IconName;
  label: string;
  /** Asked for when it opens. */
  items: () => readonly MenuItem[];
}

export function Menu({ icon, label, items }: MenuProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const root = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    focusItem(root.current, 0);
    const onPointer = (event: PointerEvent): void => {
      if (!event.composedPath().includes(root.current as EventTarget)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = itemsOf(root.current).indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (open && event.key === 'Escape') {
      close();
    } else if (open && event.key === 'Tab') {
      setOpen(false);
      return;
    } else if (open && to !== undefined) {
      focusItem(root.current, to);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <span class="amlnb-menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="amlnb-icon-button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon name={icon} />
      </button>
      {open ? (
        <div class="amlnb-menu-items" role="menu" id={id} aria-label={label}>
          {items().map(({ title, onChoose }) => (
            <button
              key={title}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class="amlnb-menu-item"
              onClick={() => {
                close();
                onChoose();
              }}
            >
              {title}
            </button>
          ))}
        </div>
      ) : null}
    </span>
  );
}

function itemsOf(root: HTMLElement | null): HTMLElement[] {
  return [...(root?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
}

function focusItem(root: HTMLElement | null, at: number): void {
  const items = itemsOf(root);
  items[(at + items.length) % items.length]?.focus();
}
