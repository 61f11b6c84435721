import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { type ComponentChildren, render } from 'preact';

import type { Choices, NotebookParameters } from '../core/contract';
import type { LabHost } from './host';

/** What a person gave; what was left as it is, is not there. */
export interface Form {
  target: string;
  environment: string;
  /** Of the run that a cell becomes. */
  name: string;
  /** Of the run that a file becomes. */
  experiment: string;
  parameters: Record<string, string>;
}

/**
 * Ask how to submit something.
 *
 * @param parameters Of a file; null for a cell.
 * @returns null if the person decided otherwise.
 */
export async function askHow(
  host: LabHost,
  title: string,
  choices: Choices,
  parameters: NotebookParameters['parameters'] | null
): Promise<Form | null> {
  const body = new FormBody(host, choices, parameters);
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: host.trans('Cancel') }), Dialog.okButton({ label: host.trans('Submit') })],
    focusNodeSelector: 'select, input'
  });
  return answer.button.accept ? answer.value : null;
}

class FormBody extends Widget implements Dialog.IBodyWidget<Form> {
  constructor(
    host: LabHost,
    choices: Choices,
    private readonly parameters: NotebookParameters['parameters'] | null
  ) {
    super();
    this.addClass('amlnb-form');
    render(<Fields host={host} choices={choices} parameters={parameters} />, this.node);
  }

  getValue(): Form {
    const text = (name: string): string => {
      const field = this.node.querySelector(`[name="${CSS.escape(name)}"]`);
      return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value.trim() : '';
    };
    const changed = (this.parameters ?? [])
      .map(({ name, value }): [string, string, string] => [name, value, text(`parameter ${name}`)])
      .filter(([, before, now]) => now !== before && now !== '');
    return {
      target: text('target'),
      environment: text('environment'),
      name: text('name'),
      experiment: text('experiment'),
      parameters: Object.fromEntries(changed.map(([name, , now]) => [name, now]))
    };
  }

  override dispose(): void {
    if (!this.isDisposed) {
      render(null, this.node);
    }
    super.dispose();
  }
}

interface FieldsProps {
  host: LabHost;
  choices: Choices;
  parameters: NotebookParameters['parameters'] | null;
}

function Fields({ host, choices, parameters }: FieldsProps) {
  return (
    <>
      <Field label={host.trans('Target')}>
        <select name="target" class="amlnb-input">
          {choices.targets.map(({ name, type }) => (
            <option key={name} value={name} selected={name === 'local'}>
              {type === 'local' ? host.trans('this machine') : `${name} (${type})`}
            </option>
          ))}
        </select>
      </Field>
      <Field label={host.trans('Environment')}>
        <input
          name="environment"
          class="amlnb-input"
          list="amlnb-environments"
          placeholder={host.trans('as it is here')}
        />
      </Field>
      <datalist id="amlnb-environments">
        {choices.environments.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {parameters === null ? (
        <Field label={host.trans('Name')}>
          <input name="name" class="amlnb-input" placeholder={host.trans('none')} />
        </Field>
      ) : (
        <Field label={host.trans('Experiment')}>
          <input
            name="experiment"
            class="amlnb-input"
            list="amlnb-experiment-names"
            placeholder={host.trans('as the file is called')}
          />
        </Field>
      )}
      <datalist id="amlnb-experiment-names">
        {choices.experiments.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {parameters === null || parameters.length === 0 ? null : (
        <fieldset>
          <legend>{host.trans('Parameters')}</legend>
          {parameters.map(({ name, value, help, type }) => (
            <Field key={name} label={name}>
              <input name={`parameter ${name}`} class="amlnb-input" value={value} title={help ?? type ?? ''} />
            </Field>
          ))}
        </fieldset>
      )}
    </>
  );
}

function Field({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <label class="amlnb-field">
      <span>{label}</span>
      {children}
    </label>
  );
}
