import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { type ComponentChildren, render } from 'preact';

import type { Choices, Fault, NotebookParameters } from '../core/contract';
import { FaultBox } from '../views/fault_box';
import { transOf } from '../views/trans';
import type { LabHost } from './host';

/** What a person gave; what was left as it is, is empty or not there. */
export interface Form {
  target: string;
  environment: string;
  experiment: string;
  /** Of the run that a cell becomes. */
  name: string;
  /** Of a script, as they are typed after its name. */
  arguments: string;
  /** Of a notebook. */
  parameters: Record<string, string>;
}

/** What is submitted, and what the form offers for it. */
export interface Asked {
  kind: 'cell' | 'script' | 'notebook';
  choices: Choices;
  /** Of a notebook. */
  parameters?: NotebookParameters['parameters'];
}

/** What a person gave before, and why that cannot be. */
export interface Refused {
  form: Form;
  fault: Fault;
}

/**
 * Ask how to submit something, once more if it was refused.
 *
 * @returns null if the person decided otherwise.
 */
export async function askHow(
  host: LabHost,
  title: string,
  asked: Asked,
  before: Refused | null = null
): Promise<Form | null> {
  const body = new FormBody(host, asked, before);
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
    private readonly asked: Asked,
    before: Refused | null
  ) {
    super();
    this.addClass('amlnb-view');
    this.addClass('amlnb-form');
    render(
      <>
        {before === null ? null : <FaultBox fault={before.fault} />}
        <Fields host={host} {...asked} />
      </>,
      this.node
    );
    if (before !== null) {
      this.fill(before.form);
    }
  }

  private fill({ parameters, ...texts }: Form): void {
    const named = Object.entries(parameters).map(([name, value]) => [`parameter ${name}`, value] as const);
    for (const [name, value] of [...Object.entries(texts), ...named]) {
      const field = this.field(name);
      if (field !== null) {
        field.value = value;
      }
    }
  }

  private field(name: string): HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement | null {
    return this.node.querySelector(`[name="${CSS.escape(name)}"]`);
  }

  getValue(): Form {
    const text = (name: string): string => this.field(name)?.value.trim() ?? '';
    const changed = (this.asked.parameters ?? []).flatMap(({ name }): [string, string][] => {
      const field = this.field(`parameter ${name}`);
      return field !== null && 'defaultValue' in field && field.value !== field.defaultValue
        ? [[name, field.value]]
        : [];
    });
    return {
      target: text('target'),
      environment: text('environment'),
      experiment: text('experiment'),
      name: text('name'),
      arguments: text('arguments'),
      parameters: Object.fromEntries(changed)
    };
  }

  override dispose(): void {
    if (!this.isDisposed) {
      render(null, this.node);
    }
    super.dispose();
  }
}

function Fields({ host, kind, choices, parameters = [] }: Asked & { host: LabHost }) {
  const trans = transOf(host);
  const experiments = {
    cell: trans('called after this notebook'),
    script: trans('called after its folder'),
    notebook: trans('called after the notebook')
  };
  return (
    <>
      {kind === 'cell' ? (
        <Field label={trans('Name')}>
          <input name="name" class="amlnb-input" placeholder={trans('of the run, as you like')} />
        </Field>
      ) : null}
      <Field label={trans('Experiment')}>
        <input name="experiment" class="amlnb-input" list="amlnb-experiment-names" placeholder={experiments[kind]} />
      </Field>
      <Field label={trans('Target')}>
        <select name="target" class="amlnb-input">
          {choices.targets.map(({ name, type }) => (
            <option key={name} value={name} selected={name === 'local'}>
              {type === 'local' ? trans('this machine') : `${name} (${type})`}
            </option>
          ))}
        </select>
      </Field>
      <Field label={trans('Environment')}>
        <input
          name="environment"
          class="amlnb-input"
          list="amlnb-environments"
          placeholder={trans('a name or a file; none: as it is here')}
        />
      </Field>
      {kind === 'script' ? (
        <Field label={trans('Arguments')}>
          <input name="arguments" class="amlnb-input" placeholder="--rate 0.1" spellcheck={false} />
        </Field>
      ) : null}
      <Offered id="amlnb-environments" names={choices.environments} />
      <Offered id="amlnb-experiment-names" names={choices.experiments} />
      {parameters.length === 0 ? null : (
        <fieldset>
          <legend>{trans('Parameters')}</legend>
          {parameters.map(({ name, value, help, type }) => (
            <Field key={name} label={name}>
              <ParameterField name={`parameter ${name}`} value={value} title={help ?? type ?? ''} />
            </Field>
          ))}
        </fieldset>
      )}
    </>
  );
}

function ParameterField({ name, value, title }: { name: string; value: string; title: string }) {
  const shared = { name, class: 'amlnb-input', title, defaultValue: value };
  return value.includes('\n') ? <textarea {...shared} rows={4} /> : <input {...shared} />;
}

function Offered({ id, names }: { id: string; names: readonly string[] }) {
  return (
    <datalist id={id}>
      {names.map(name => (
        <option key={name} value={name} />
      ))}
    </datalist>
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
