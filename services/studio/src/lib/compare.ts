// Several jobs side by side: what differs in their configuration, which figure is best, and all of it as CSV.
import type { Job } from "../api/client";
import { snake } from "./params";

export const MOST_COMPARED = 6;
export type AxisKind = "step" | "epoch" | "time";

/** Points of one metric of one job; `times` in seconds since its first point. */
export interface Track {
  steps: number[];
  values: number[];
  times: number[];
}

export interface Row {
  /** snake_case. */
  name: string;
  values: string[];
  differs: boolean;
}

const TAIL = 4;

/** What each is called here: its name and, where others have the same one, the end of its id. */
export function labelsOf(jobs: { id: string; name: string }[]): Map<string, string> {
  const shared = (name: string) => jobs.filter((other) => other.name === name).length > 1;
  return new Map(jobs.map(({ id, name }) => [id, shared(name) ? `${name} · ${id.slice(-TAIL)}` : name]));
}

/** The jobs' configuration, a row a setting: what differs first, then what each was made of, then its parameters. */
export function configRows(jobs: Job[]): Row[] {
  const settings = jobs.map(settingsOf);
  const names = [...new Set(settings.flatMap((one) => [...one.keys()]))];
  const rows = names.map((name) => {
    const values = settings.map((one) => one.get(name) ?? "–");
    return { name, values, differs: new Set(values).size > 1 };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

function settingsOf({ config }: Job): Map<string, string> {
  const { recipe, baseModel, dataset, devices, params } = config;
  const named = (one: { name: string; version: number } | null | undefined) => one && `${one.name}@${one.version}`;
  const facts = { recipe, base_model: named(baseModel), dataset: named(dataset), devices, ...params };
  const given = Object.entries(facts).filter(([, value]) => value !== undefined);
  return new Map(given.map(([name, value]) => [snake(name), value === null ? "–" : shown(value)]));
}

function shown(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export interface Final {
  name: string;
  values: (number | null)[];
  /** Places of the best value; empty where none is better than another. */
  best: number[];
}

const FINALS: [string, "low" | "high" | null, (job: Job) => number | null | undefined][] = [
  ["eval_loss", "low", ({ progress }) => progress.evalLoss],
  ["perplexity", "low", ({ progress }) => progress.perplexity],
  ["accuracy", "high", ({ progress }) => progress.accuracy],
  ["loss", "low", ({ progress }) => progress.loss],
  ["tokens_per_second", "high", ({ progress }) => progress.tokensPerSecond],
  ["steps", null, ({ progress }) => progress.step],
  ["duration", null, ({ durationSeconds }) => durationSeconds],
];

/** The last figures of each job; those that no job has are left out. */
export function finals(jobs: Job[]): Final[] {
  return FINALS.map(([name, better, read]) => {
    const values = jobs.map((job) => read(job) ?? null);
    return { name, values, best: better === null ? [] : bestOf(values, better) };
  }).filter(({ values }) => values.some((value) => value !== null));
}

function bestOf(values: (number | null)[], better: "low" | "high"): number[] {
  const known = values.filter((value) => value !== null);
  if (known.length < 2 || new Set(known).size < 2) return [];
  const top = better === "low" ? Math.min(...known) : Math.max(...known);
  return values.flatMap((value, place) => (value === top ? [place] : []));
}

/** Where the points lie: steps, or epochs where the job tells how many, or minutes since the first. */
export function axisOf(track: Track, axis: AxisKind, job: Job): number[] {
  if (axis === "time") return track.times.map((seconds) => seconds / 60);
  const { epoch, step, epochs, totalSteps } = job.progress;
  if (axis === "step") return track.steps;
  const each = step && epoch ? epoch / step : totalSteps && epochs ? epochs / totalSteps : null;
  return each === null ? [] : track.steps.map((place) => place * each);
}

/** Comma-separated values: a line a list, quoted where need be. */
export function csv(lines: (string | number | null)[][]): string {
  return `${lines.map((line) => line.map(cell).join(",")).join("\n")}\n`;
}

/** A text that a spreadsheet would take for a formula is marked as text. */
function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+@\t\r]|^-[^\d.]/.test(value) ? `'${value}` : value;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
