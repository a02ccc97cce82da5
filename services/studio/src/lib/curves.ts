// Metrics of a run as curves: points by name, ascending by step, each step once.

export interface Points {
  steps: number[];
  values: number[];
}

export interface Point {
  step: number;
  name: string;
  value: number;
}

export type Series = ReadonlyMap<string, Points>;

/** `series` with `points` added, which come in order: one at a step that a metric has passed already takes away what lay
 * beyond it. The run was set back, as after a worker's death, and does these steps again. */
export function withPoints(series: Series, points: Iterable<Point>): Series {
  const changed = new Map(series);
  const fresh = new Set<string>();
  for (const { name, step, value } of points) {
    if (!fresh.has(name)) {
      const known = changed.get(name);
      changed.set(name, { steps: [...(known?.steps ?? [])], values: [...(known?.values ?? [])] });
      fresh.add(name);
    }
    put(changed.get(name) as Points, step, value);
  }
  return changed;
}

function put({ steps, values }: Points, step: number, value: number): void {
  const last = steps[steps.length - 1];
  if (last !== undefined && step <= last) {
    const place = firstAtLeast(steps, step);
    steps.length = place;
    values.length = place;
  }
  steps.push(step);
  values.push(value);
}

function firstAtLeast(steps: number[], step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as number) < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Exponential moving average without the bias of its start; `weight` 0 (as it is) to below 1. */
export function smoothed(values: ArrayLike<number>, weight: number): number[] {
  const result: number[] = [];
  let mean = 0;
  let total = 0;
  for (let place = 0; place < values.length; place += 1) {
    mean = mean * weight + (values[place] as number) * (1 - weight);
    total = total * weight + (1 - weight);
    result.push(mean / total);
  }
  return result;
}

/** The step of the smallest value; null without values. */
export function best(points: Points | undefined): { step: number; value: number } | null {
  if (points === undefined || points.values.length === 0) return null;
  let place = 0;
  for (let other = 1; other < points.values.length; other += 1) {
    if ((points.values[other] as number) < (points.values[place] as number)) place = other;
  }
  return { step: points.steps[place] as number, value: points.values[place] as number };
}

/** Comma-separated values: a row a step, a column a metric. */
export function asCsv(series: Series): string {
  const names = [...series.keys()].sort();
  const rows = new Map<number, Map<string, number>>();
  for (const name of names) {
    const { steps, values } = series.get(name) as Points;
    steps.forEach((step, place) => {
      const row = rows.get(step) ?? new Map<string, number>();
      rows.set(step, row.set(name, values[place] as number));
    });
  }
  const lines = [...rows.keys()]
    .sort((a, b) => a - b)
    .map((step) => {
      const row = rows.get(step);
      return [step, ...names.map((name) => row?.get(name) ?? "")].join(",");
    });
  return [["step", ...names].join(","), ...lines, ""].join("\n");
}
