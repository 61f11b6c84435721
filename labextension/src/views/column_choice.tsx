/** Which columns a table shows. */

import { useState } from 'preact/hooks';

import type { Column } from './run_columns';
import type { Trans } from './trans';

export interface ColumnChoiceProps {
  all: readonly Column[];
  keys: readonly string[];
  trans: Trans;
  /** null: those that are shown as long as nobody has chosen. */
  onChange: (keys: string[] | null) => void;
}

export function ColumnChoice({ all, keys, trans, onChange }: ColumnChoiceProps) {
  const [filter, setFilter] = useState('');
  const wanted = filter.toLowerCase();
  const listed = all.filter(column => column.key.toLowerCase().includes(wanted));
  return (
    <details class="amlnb-popup" onKeyDown={closeOnEscape} onFocusOut={closeWhenLeft}>
      <summary class="amlnb-button">{trans('Columns')}</summary>
      <div class="amlnb-popup-panel" role="group" aria-label={trans('Columns')}>
        <input
          type="search"
          class="amlnb-input"
          aria-label={trans('Find a column')}
          placeholder={trans('Find a column')}
          value={filter}
          onInput={event => setFilter(event.currentTarget.value)}
        />
        <div class="amlnb-popup-list">
          {listed.map(column => (
            <label key={column.key} class="amlnb-check" title={column.key}>
              <input
                type="checkbox"
                checked={keys.includes(column.key)}
                onChange={event =>
                  onChange(event.currentTarget.checked ? [...keys, column.key] : keys.filter(key => key !== column.key))
                }
              />
              <span class="amlnb-ellipsis">{column.title}</span>
              <span class="amlnb-faint">{kindOf(column, trans)}</span>
            </label>
          ))}
          {listed.length === 0 ? <p class="amlnb-faint">{trans('No column is called like that.')}</p> : null}
        </div>
        <button type="button" class="amlnb-button" onClick={() => onChange(null)}>
          {trans('Reset')}
        </button>
      </div>
    </details>
  );
}

function kindOf(column: Column, trans: Trans): string {
  const [kind] = column.key.split('.', 1);
  return { parameters: trans('parameter'), metrics: trans('metric'), tags: trans('tag') }[kind ?? ''] ?? '';
}

function closeWhenLeft(event: FocusEvent & { currentTarget: HTMLDetailsElement }): void {
  if (event.relatedTarget instanceof Node && !event.currentTarget.contains(event.relatedTarget)) {
    event.currentTarget.open = false;
  }
}

function closeOnEscape(event: KeyboardEvent & { currentTarget: HTMLDetailsElement }): void {
  if (event.key === 'Escape' && event.currentTarget.open) {
    event.currentTarget.open = false;
    event.currentTarget.querySelector('summary')?.focus();
    event.stopPropagation();
  }
}
