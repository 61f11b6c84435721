/** How files differ, as unified diffs. */

import type { CodeDiff } from '../core/contract';
import type { Host } from '../core/host';

type Kind = 'add' | 'remove' | 'place' | 'same';

const KINDS: Record<string, Kind> = { '+': 'add', '-': 'remove', '@': 'place' };

export function DiffFiles({ diff, trans }: { diff: CodeDiff; trans: Host['trans'] }) {
  if (diff.unknown) {
    return <p class="amlnb-empty">{diff.unknown}</p>;
  }
  if (diff.files.length === 0) {
    return <p class="amlnb-empty">{trans('No file differs.')}</p>;
  }
  return (
    <div class="amlnb-diffs">
      {diff.files.map(file => (
        <section key={file.path} class="amlnb-diff" aria-label={trans('How %1 differs', file.path)}>
          <h3 class="amlnb-diff-path">
            {file.path}
            <DiffCount lines={file.diff} trans={trans} />
          </h3>
          {file.note ? <p class="amlnb-faint">{file.note}</p> : null}
          {file.diff.length > 0 ? (
            <pre class="amlnb-diff-lines" tabIndex={0}>
              {file.diff.filter(isShown).map((line, at) => (
                <DiffLine key={at} line={line} />
              ))}
            </pre>
          ) : null}
        </section>
      ))}
      {diff.same > 0 ? (
        <p class="amlnb-faint">
          {diff.same === 1 ? trans('1 other file is the same.') : trans('%1 other files are the same.', diff.same)}
        </p>
      ) : null}
    </div>
  );
}

function DiffLine({ line }: { line: string }) {
  const kind = KINDS[line[0] ?? ''] ?? 'same';
  const Tag = kind === 'add' ? 'ins' : kind === 'remove' ? 'del' : 'span';
  return <Tag class={`amlnb-diff-${kind}`}>{`${line}\n`}</Tag>;
}

function DiffCount({ lines, trans }: { lines: readonly string[]; trans: Host['trans'] }) {
  const shown = lines.filter(isShown);
  const [added, removed] = ['+', '-'].map(sign => shown.filter(line => line.startsWith(sign)).length);
  return (
    <span class="amlnb-diff-count" aria-label={trans('%1 lines added, %2 removed', added ?? 0, removed ?? 0)}>
      <ins>+{added}</ins> <del>−{removed}</del>
    </span>
  );
}

/** Whether it is none of the first two lines, the names of both files, which stand above already. */
function isShown(line: string, at: number): boolean {
  return at > 1 || !/^(\+\+\+|---) /.test(line);
}
