// The time at the servers. All times that are shown come from there, and a browser's clock may be wrong by an hour.

/** An answer's time is in whole seconds, and the answer was on its way for a while. */
const TOLERATED_MS = 5_000;

let ahead = 0;

/** Takes the time of an answer, as its `Date` header says it; `now` is this browser's, in ms. */
export function heardTime(date: string | null, now = Date.now()): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return;
  ahead = Math.abs(told - now) < TOLERATED_MS ? 0 : told - now;
}

/** In ms since 1970; this browser's until an answer has come. */
export function serverNow(): number {
  return Date.now() + ahead;
}
