/** What went wrong, and what to do about it. */

import type { Fault } from '../core/contract';
import { Icon } from './icons';
import type { Trans } from './trans';

export type FaultBoxProps =
  | { fault: Fault }
  /** Where it can be asked for again at a click. */
  | { fault: Fault; again: () => void; trans: Trans };

export function FaultBox(props: FaultBoxProps) {
  const { message, hint } = props.fault;
  return (
    <div class="amlnb-fault" role="alert">
      <Icon name="warning" />
      <div>
        <p>{message}</p>
        {hint ? <p class="amlnb-faint">{hint}</p> : null}
        {'again' in props ? (
          <button type="button" class="amlnb-button" onClick={props.again}>
            {props.trans('Try again')}
          </button>
        ) : null}
      </div>
    </div>
  );
}
