/** What went wrong, and what to do about it. */

import type { Fault } from '../core/contract';
import { Icon } from './icons';

export function FaultBox({ fault }: { fault: Fault }) {
  return (
    <div class="amlnb-fault" role="alert">
      <Icon name="warning" />
      <div>
        <p>{fault.message}</p>
        {fault.hint ? <p class="amlnb-faint">{fault.hint}</p> : null}
      </div>
    </div>
  );
}
