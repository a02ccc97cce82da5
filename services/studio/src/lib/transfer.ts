// How fast something is sent, and how long the rest takes: over the last seconds, so that a pause shows.

export interface Mark {
  /** Milliseconds. */
  at: number;
  bytes: number;
}

const WINDOW_MS = 5_000;
const LEAST_MS = 500;

/** `marks` with the newest, without those that are older than the window (one of them is kept, to measure from). Fewer
 * bytes than before are a new beginning. */
export function withMark(marks: Mark[], mark: Mark): Mark[] {
  if (mark.bytes < (marks[marks.length - 1]?.bytes ?? 0)) return [mark];
  const first = marks.findLastIndex((one) => one.at <= mark.at - WINDOW_MS);
  return [...marks.slice(Math.max(0, first)), mark];
}

/** Bytes a second; null before there is enough to say it by. */
export function speedOf(marks: Mark[]): number | null {
  const first = marks[0];
  const last = marks[marks.length - 1];
  if (first === undefined || last === undefined || last.at - first.at < LEAST_MS) return null;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}

/** Seconds until `total` bytes are there; null when nothing moves. */
export function secondsLeft(marks: Mark[], total: number): number | null {
  const speed = speedOf(marks);
  const sent = marks[marks.length - 1]?.bytes ?? 0;
  return speed === null || speed <= 0 ? null : Math.max(0, total - sent) / speed;
}
