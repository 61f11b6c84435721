/** Rows of texts as a table that scrolls within its place. */

import type { Trans } from './trans';

export interface DataTableProps {
  label: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  truncated: boolean;
  note: string | null;
  trans: Trans;
}

export function DataTable({ label, columns, rows, truncated, note, trans }: DataTableProps) {
  return (
    <div class="amlnb-data" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={at} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {note || truncated ? <p class="amlnb-faint">{note ?? trans('the first %1 rows', rows.length)}</p> : null}
    </div>
  );
}
