/** Why a run failed: the message, what to do, and where, with the values that were there. */

import type { FailureFrame, RunDocument } from '../core/contract';
import { Icon } from './icons';
import type { Trans } from './trans';

export interface FailureProps {
  run: RunDocument;
  compact: boolean;
  trans: Trans;
}

export function Failure({ run, compact, trans }: FailureProps) {
  const { failure } = run;
  if (!failure && !run.error) {
    return null;
  }
  const frames = failure?.frames ?? [];
  const shown = compact ? frames.slice(0, 1) : frames;
  return (
    <section class="amlnb-failure" aria-label={trans('Why it failed')}>
      <p class="amlnb-failure-message">
        <Icon name="warning" />
        <span>{failure?.message ?? run.error}</span>
      </p>
      {failure?.hint ? (
        <p class="amlnb-failure-hint">
          <span class="amlnb-hint-word">{trans('hint:')}</span> {failure.hint}
        </p>
      ) : null}
      {shown.map((frame, at) => (
        <Frame key={at} frame={frame} open={at === 0} compact={compact} trans={trans} />
      ))}
      {failure?.details && !compact ? (
        <details class="amlnb-fold">
          <summary>{trans('Traceback')}</summary>
          <pre class="amlnb-code" tabIndex={0}>
            {failure.details}
          </pre>
        </details>
      ) : null}
    </section>
  );
}

function Frame({
  frame,
  open,
  compact,
  trans
}: {
  frame: FailureFrame;
  open: boolean;
  compact: boolean;
  trans: Trans;
}) {
  const place = frame.line === null ? frame.file : `${frame.file}:${frame.line}`;
  const locals = compact ? frame.locals.slice(0, 3) : frame.locals;
  return (
    <details class="amlnb-frame" open={open}>
      <summary>
        <code>{place}</code> <span class="amlnb-faint">{trans('in %1', frame.function)}</span>
        <code class="amlnb-frame-code">{frame.code}</code>
      </summary>
      {locals.length > 0 ? (
        <table class="amlnb-pairs amlnb-locals">
          <caption class="amlnb-unseen">{trans('Local values in %1', frame.function)}</caption>
          <tbody>
            {locals.map(({ name, type, value }) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <td class="amlnb-faint">{type}</td>
                <td>
                  <code>{value}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </details>
  );
}

/** Warnings of a run, the first ones at once. */
export function Warnings({ warnings, trans }: { warnings: readonly string[]; trans: Trans }) {
  if (warnings.length === 0) {
    return null;
  }
  return (
    <details class="amlnb-warnings" open={warnings.length <= 2}>
      <summary>
        <Icon name="warning" /> {warnings.length === 1 ? trans('1 warning') : trans('%1 warnings', warnings.length)}
      </summary>
      <ul>
        {warnings.map((warning, at) => (
          <li key={at}>{warning}</li>
        ))}
      </ul>
    </details>
  );
}
