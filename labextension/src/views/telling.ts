/** What is told of things that were done at a click. */

import { toldFault } from '../core/client';
import type { Host } from '../core/host';

/** Do something; what it throws is told to the person. */
export async function telling(host: Host, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const { message, hint } = toldFault(error);
    host.notify(hint ? `${message}\n${hint}` : message, 'error');
  }
}

/** Copy a text, and tell so, or that it was not done. */
export async function copying(host: Host, text: string, note: string): Promise<void> {
  if (await host.copy(text)) {
    host.notify(note);
  } else {
    host.notify(host.trans('The browser does not let this page copy: mark the text and copy it yourself.'), 'error');
  }
}
