/** Tells that the connection to the server broke: what stands in a view may be old. */

import type { Host } from '../core/host';
import { sessionOf } from '../core/session';
import { Icon } from './icons';
import { transOf } from './trans';

export function LostNotice({ host }: { host: Host }) {
  return sessionOf(host).stream.state.value === 'lost' ? (
    <p class="amlnb-lost" role="status">
      <Icon name="warning" />
      {transOf(host)('The connection broke; it is tried again. What stands here may be old.')}
    </p>
  ) : null;
}
