/** Where a group's runs stand in a query. */

/** What of the runs the groups were made from. */
export interface GroupedRuns {
  experiment: string | undefined;
  query: string;
}

/** The query of those of the runs that have this value in this column; `value` null: that have none. */
export function queryOf(by: string, value: string | null, { experiment, query }: GroupedRuns): string {
  const parts = [
    // Children are found by a query alone, so they are not among runs that none was asked of.
    ...(query === '' ? ['parent == null'] : [`(${query})`]),
    ...(experiment === undefined ? [] : [`experiment == ${literal(experiment)}`]),
    `${fieldOf(by)} == ${value === null ? 'null' : literal(value)}`
  ];
  return parts.join(' and ');
}

/** A column as a query names it: `parameters.lr` is `parameters["lr"]`, whatever its name is. */
function fieldOf(by: string): string {
  const dot = by.indexOf('.');
  return dot < 0 ? by : `${by.slice(0, dot)}[${literal(by.slice(dot + 1))}]`;
}

/** A text as the query has it: a Python literal. */
function literal(text: string): string {
  return JSON.stringify(text);
}
