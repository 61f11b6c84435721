/** The server's time as far as a page knows it: when runs began and ended is told by that clock, and a page's own may be an hour off. */

/** The header has whole seconds, and the answer took a while. */
const CLOSE_S = 2;
let ahead = 0;

/** Take the time from an answer's `Date` header. */
export function noteDate(header: string | null): void {
  const difference = Date.parse(header ?? '') / 1000 - Date.now() / 1000;
  if (Math.abs(difference - ahead) > CLOSE_S) {
    ahead = Math.abs(difference) > CLOSE_S ? difference : 0;
  }
}

/** Unix time of the server, seconds. */
export function serverNow(): number {
  return Date.now() / 1000 + ahead;
}
