import type { IStatusBar } from '@jupyterlab/statusbar';
import { h } from 'preact';

import { sessionOf } from '../core/session';
import type { LabHost } from './host';
import { PreactWidget } from './preact_widget';
import type { Watcher } from './watcher';

/** How many runs are going, in the status bar; a click shows them. */
export function addStatus(bar: IStatusBar, host: LabHost, watcher: Watcher, show: () => void): void {
  function Running() {
    const running = watcher.running.value;
    if (running === 0) {
      return null;
    }
    const text = running === 1 ? host.trans('1 run going') : host.trans('%1 runs going', running);
    const lost = sessionOf(host).stream.state.value === 'lost';
    const title = lost
      ? host.trans('The connection broke; it is tried again. What stands here may be old.')
      : host.trans('Show the runs');
    return h(
      'button',
      { type: 'button', class: `amlnb-status${lost ? ' amlnb-faint' : ''}`, onClick: show, title },
      lost ? `${text} (?)` : text
    );
  }
  bar.registerStatusItem('amlnb:running', { align: 'left', rank: 50, item: new PreactWidget(() => h(Running, null)) });
}
