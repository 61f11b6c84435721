import type { IStatusBar } from '@jupyterlab/statusbar';
import { h } from 'preact';

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
    return h(
      'button',
      { type: 'button', class: 'amlnb-status', onClick: show, title: host.trans('Show the runs') },
      text
    );
  }
  bar.registerStatusItem('amlnb:running', { align: 'left', rank: 50, item: new PreactWidget(() => h(Running, null)) });
}
