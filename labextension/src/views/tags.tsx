/** The tags of a run, which can be edited where one may act. */

import { useSignal } from '@preact/signals';

import { toldFault } from '../core/client';
import type { RunChanges, RunDocument } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { transOf } from './trans';

export function Tags({ host, model, run }: { host: Host; model: RunModel; run: RunDocument }) {
  const trans = transOf(host);
  const text = useSignal('');
  const fault = useSignal<string | null>(null);
  const edits = host.acts && run.can.includes('tag');
  const entries = Object.entries(run.tags);
  const change = async (changes: RunChanges): Promise<void> => {
    try {
      await model.take(model.client.change(model.workspace, run.id, changes));
      fault.value = null;
    } catch (error) {
      const told = toldFault(error);
      fault.value = [told.message, told.hint].filter(Boolean).join(' ');
    }
  };
  const add = (event: Event): void => {
    event.preventDefault();
    const [name = '', ...rest] = text.value.split('=').map(part => part.trim());
    if (!name && rest.length > 0) {
      fault.value = trans('"%1" has no name before its "=": write the tag as name = value.', text.value.trim());
    } else if (name) {
      void change({ tags: { [name]: rest.length > 0 ? rest.join('=') : null } });
      text.value = '';
    }
  };
  return (
    <>
      {entries.length === 0 ? (
        <p class="amlnb-faint">{trans('none')}</p>
      ) : (
        <ul class="amlnb-chips">
          {entries.map(([name, value]) => (
            <li key={name} class="amlnb-chip">
              <b>{name}</b>
              {value ? ` ${value}` : ''}
              {edits ? (
                <button
                  type="button"
                  class="amlnb-chip-remove"
                  aria-label={trans('Take the tag %1 away', name)}
                  onClick={() => void change({ remove_tags: [name] })}
                >
                  ×
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {edits ? (
        <form class="amlnb-tag-form" onSubmit={add}>
          <input
            class="amlnb-input"
            placeholder={trans('tag or tag = value')}
            aria-label={trans('New tag')}
            value={text.value}
            onInput={event => {
              text.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="amlnb-button">
            {trans('Set')}
          </button>
        </form>
      ) : null}
      {fault.value ? (
        <p class="amlnb-reason" role="alert">
          {fault.value}
        </p>
      ) : null}
    </>
  );
}
