/** Places as addresses below the page: `w/KEY`, `w/KEY/runs/ID`, `w/KEY/experiments/NAME`, `w/KEY/compare?run=A&run=B`. */

import type { Place } from './host';

/** Address of a place, relative to the page. */
export function addressOf(place: Place): string {
  const top = `w/${encodeURIComponent(place.workspace)}`;
  switch (place.view) {
    case 'run':
      return `${top}/runs/${encodeURIComponent(place.run)}`;
    case 'compare':
      return `${top}/compare?${new URLSearchParams(place.runs.map(run => ['run', run])).toString()}`;
    default:
      return place.query === undefined ? top : `${top}?${new URLSearchParams({ query: place.query }).toString()}`;
  }
}

/** The place at an address; null for the page itself and for what is none of ours. */
export function placeAt(path: string, search: string): Place | null {
  const [top, key, view, ...rest] = path.split('/').map(decoded);
  if (top !== 'w' || key === undefined || key === '') {
    return null;
  }
  const values = new URLSearchParams(search);
  if (view === 'runs' && rest.length > 0) {
    return { view: 'run', workspace: key, run: rest.join('/') };
  }
  if (view === 'compare') {
    return { view: 'compare', workspace: key, runs: values.getAll('run') };
  }
  if (view === 'experiments' && rest.length > 0) {
    return { view: 'runs', workspace: key, query: `experiment == ${JSON.stringify(rest.join('/'))}` };
  }
  const query = values.get('query');
  return query === null ? { view: 'runs', workspace: key } : { view: 'runs', workspace: key, query };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
