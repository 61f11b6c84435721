/** The name of a run, which can be changed where one may act. */

import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import type { RunDocument } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { nameOf } from './run_columns';
import { telling } from './telling';
import { transOf } from './trans';

export interface RunNameProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
  /** Whether it is being changed. */
  editing: Signal<boolean>;
}

export function RunName({ host, model, run, editing }: RunNameProps) {
  const trans = transOf(host);
  const input = useRef<HTMLInputElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const wasEdited = useRef(false);
  useEffect(() => {
    if (editing.value) {
      input.current?.focus();
      input.current?.select();
    } else if (wasEdited.current) {
      heading.current?.focus();
    }
    wasEdited.current = editing.value;
  }, [editing.value]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const name = input.current?.value.trim();
    editing.value = false;
    if (name && name !== nameOf(run)) {
      void telling(host, () => model.take(model.client.change(model.workspace, run.id, { name })));
    }
  };
  if (editing.value) {
    return (
      <form class="amlnb-run-name" onSubmit={submit}>
        <input
          class="amlnb-input"
          ref={input}
          aria-label={trans('Name of the run')}
          defaultValue={nameOf(run)}
          onBlur={() => {
            editing.value = false;
          }}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              editing.value = false;
            }
          }}
        />
      </form>
    );
  }
  return (
    <h2 class="amlnb-run-name" ref={heading} tabIndex={-1} title={`${nameOf(run)}\n${run.id}`}>
      {nameOf(run)}
    </h2>
  );
}
