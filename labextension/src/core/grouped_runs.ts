/** Where a group's runs stand in a query. */

/** The query of those runs that have this value in this column; `value` null: that have none. */
export function queryOf(by: string, value: string | null, query: string): string {
  const own = value === null ? `${by} == null` : `${by} == ${literal(value)}`;
  return query === '' ? own : `(${query}) and ${own}`;
}

/** A text as the query has it: a Python literal. */
function literal(text: string): string {
  return JSON.stringify(text);
}
