/** What can be done with a run. */

import { useSignal, type Signal } from '@preact/signals';

import type { RunDocument } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { Icon, IconButton, type IconName } from './icons';
import { Menu, type MenuItem } from './menu';
import { nameOf } from './run_columns';
import { copying, telling } from './telling';
import { transOf } from './trans';

export interface RunActionsProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
  compact: boolean;
  /** Whether its name is being changed. */
  renaming: Signal<boolean>;
}

export function RunActions({ host, model, run, compact, renaming }: RunActionsProps) {
  const trans = transOf(host);
  const busy = useSignal(false);
  const actions = actionsOf(host, model, run);
  const perform = (action: () => Promise<void>): void => {
    busy.value = true;
    void telling(host, action).then(() => {
      busy.value = false;
    });
  };
  const can = (what: RunDocument['can'][number]): boolean => host.acts && run.can.includes(what);
  const rest: MenuItem[] = [];
  if (can('rename')) {
    const rename = (): void => {
      renaming.value = true;
    };
    rest.push({ title: trans('Rename'), onChoose: rename });
  }
  if (can('archive')) {
    const title = run.archived ? trans('Take it out of the archive') : trans('Archive');
    rest.push({ title, onChoose: () => perform(actions.archive) });
  }
  if (can('delete')) {
    rest.push({ title: trans('Delete …'), onChoose: () => perform(actions.remove) });
  }
  return (
    <>
      {can('cancel') ? (
        <Action name="cancel" title={trans('Cancel')} disabled={busy.value} onClick={() => perform(actions.cancel)} />
      ) : null}
      {can('resubmit') && !compact ? (
        <Action
          name="again"
          title={trans('Resubmit')}
          disabled={busy.value}
          onClick={() => perform(actions.resubmit)}
        />
      ) : null}
      <IconButton
        name="copy"
        label={trans('Copy the id %1', run.id)}
        onClick={() => void copying(host, run.id, trans('Copied %1', run.id))}
      />
      {compact ? (
        <IconButton
          name="open"
          label={trans('Open the run')}
          onClick={() => host.open({ view: 'run', workspace: model.workspace, run: run.id })}
        />
      ) : rest.length > 0 ? (
        <Menu icon="more" label={trans('More')} items={() => rest} />
      ) : null}
    </>
  );
}

type ActionName = 'cancel' | 'resubmit' | 'archive' | 'remove';

function actionsOf(host: Host, model: RunModel, run: RunDocument): Record<ActionName, () => Promise<void>> {
  const trans = transOf(host);
  const { workspace, client } = model;
  const name = nameOf(run);
  return {
    cancel: async () => {
      const question = trans('Cancel the run "%1"?', name);
      if (await host.confirm(question, trans('Cancel the run'), trans('Keep it going'))) {
        await model.take(client.cancel(workspace, run.id));
      }
    },
    resubmit: async () => {
      const made = await client.resubmit(workspace, run.id);
      host.open({ view: 'run', workspace: made.workspace, run: made.run });
    },
    archive: () => model.take(client.change(workspace, run.id, { archived: !run.archived })),
    remove: async () => {
      const question = run.children
        ? trans(
            'Delete the run "%1", its %2 children and all their files? Nothing brings them back.',
            name,
            run.children
          )
        : trans('Delete the run "%1" with all its files? Nothing brings it back.', name);
      if (await host.confirm(question, trans('Delete'))) {
        await client.remove(workspace, run.id, run.children > 0);
        model.deleted.value = true;
        host.notify(trans('Deleted %1', name));
      }
    }
  };
}

function Action(props: { name: IconName; title: string; disabled: boolean; onClick: () => void }) {
  const { name, title, disabled, onClick } = props;
  return (
    <button type="button" class="amlnb-button" disabled={disabled} onClick={onClick}>
      <Icon name={name} />
      {title}
    </button>
  );
}
