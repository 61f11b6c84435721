/** Texts of views in the person's language. */

import type { Host, Trans } from '../core/host';

export type { Trans };

const known = new WeakMap<Host, Trans>();

/** The host's `trans` by itself: always the same function for a host. */
export function transOf(host: Host): Trans {
  let trans = known.get(host);
  if (!trans) {
    trans = (text, ...args) => host.trans(text, ...args);
    known.set(host, trans);
  }
  return trans;
}
