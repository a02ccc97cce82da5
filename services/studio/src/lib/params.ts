// A recipe's parameters as its JSON Schema tells them: what to draw, which range holds, what is wrong with a value.
import { readNumber } from "./numbers";

export type ParamKind = "integer" | "number" | "choice" | "switch" | "list" | "text";

/** Both ends null: any. `open`: the low (high) end itself is out of it. */
export interface Range {
  low: number | null;
  high: number | null;
  openLow: boolean;
  openHigh: boolean;
}

export interface Param {
  /** snake_case, as the schema has it. */
  name: string;
  kind: ParamKind;
  title: string;
  description: string;
  nullable: boolean;
  standard: unknown;
  choices: string[];
  /** Holds for everybody. */
  basic: Range;
  /** Holds where wider ranges were asked for. */
  wide: Range;
  /** Has a range of its own for everybody: worth showing early. */
  common: boolean;
}

/** What stands in a form: text of numbers and lists, and true or false; undefined is untouched. */
export type Given = string | boolean | undefined;

export type Wrong = "not_number" | "not_whole" | "too_long" | "out_of_range" | null;

type Part = Record<string, unknown>;

export function paramsOf(schema: Part): Param[] {
  const parts = Object.entries((schema.properties ?? {}) as Record<string, Part>);
  return parts.map(([name, part]) => paramOf(name, part));
}

function paramOf(name: string, part: Part): Param {
  const branches = (part.anyOf ?? []) as Part[];
  const main: Part = { ...part, ...branches.find((branch) => branch.type !== "null") };
  const basic = part.basic as Part | undefined;
  return {
    name,
    kind: kindOf(main),
    title: String(part.title ?? name),
    description: String(part.description ?? ""),
    nullable: branches.some((branch) => branch.type === "null"),
    standard: part.default,
    choices: ((main.enum ?? []) as unknown[]).map(String),
    basic: rangeOf(basic === undefined ? main : { ...withoutBounds(main), ...basic }),
    wide: rangeOf(main),
    common: basic !== undefined,
  };
}

function kindOf({ type, enum: choices }: Part): ParamKind {
  if (Array.isArray(choices)) return "choice";
  if (type === "integer" || type === "number") return type;
  if (type === "boolean") return "switch";
  return type === "array" ? "list" : "text";
}

const BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

function withoutBounds(part: Part): Part {
  return Object.fromEntries(Object.entries(part).filter(([name]) => !BOUNDS.includes(name)));
}

function rangeOf(part: Part): Range {
  const bound = (name: string) => (typeof part[name] === "number" ? (part[name] as number) : null);
  const low = bound("minimum");
  const high = bound("maximum");
  return {
    low: low ?? bound("exclusiveMinimum"),
    high: high ?? bound("exclusiveMaximum"),
    openLow: low === null && bound("exclusiveMinimum") !== null,
    openHigh: high === null && bound("exclusiveMaximum") !== null,
  };
}

/** What the API is sent for it; undefined when nothing was given, or what holds anyway. */
export function sentValue(param: Param, given: Given): unknown {
  const value = read(param, given);
  return same(value, param.standard) ? undefined : value;
}

function read({ kind, nullable, standard }: Param, given: Given): unknown {
  if (given === undefined) return standard;
  if (typeof given === "boolean") return given;
  const text = given.trim();
  if (text === "") return nullable ? null : standard;
  if (kind === "integer" || kind === "number") return readNumber(text);
  if (kind === "list") return text.split(/[\s,،]+/).filter(Boolean);
  return text;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What is wrong with what was given; null when nothing is. */
export function wrong(param: Param, given: Given, advanced: boolean): Wrong {
  if (typeof given !== "string" || given.trim() === "") return null;
  if (param.kind !== "integer" && param.kind !== "number") return null;
  const value = readNumber(given);
  if (value === null) return "not_number";
  if (param.kind === "integer" && !Number.isInteger(value)) return "not_whole";
  const range = advanced ? param.wide : param.basic;
  if (param.kind === "integer" && isLost(value, range)) return "too_long";
  return within(value, range) ? null : "out_of_range";
}

/** A whole number that a page cannot tell from its neighbour, where the range reaches that far. */
function isLost(value: number, { high }: Range): boolean {
  return !Number.isSafeInteger(value) && (high === null || high > Number.MAX_SAFE_INTEGER);
}

function within(value: number, { low, high, openLow, openHigh }: Range): boolean {
  if (low !== null && (openLow ? value <= low : value < low)) return false;
  return high === null || (openHigh ? value < high : value <= high);
}

export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
