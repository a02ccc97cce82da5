// Numbers, sizes, times and dates in the language, digits and calendar that were chosen.
import { useMemo } from "react";
import { serverNow } from "./clock";
import { localeOf, type Settings, useSettings } from "./settings";

export interface Format {
  locale: string;
  /** Up to `digits` decimals (2). */
  number(value: number, digits?: number): string;
  /** So many significant digits (4); very small and very large ones with an exponent. */
  figure(value: number, significant?: number): string;
  /** 12.3K */
  compact(value: number): string;
  /** `value` 0 to 100. */
  percent(value: number, digits?: number): string;
  bytes(value: number): string;
  /** The two largest units of `seconds`. */
  duration(seconds: number): string;
  date(value: string | Date): string;
  time(value: string | Date): string;
  dateTime(value: string | Date): string;
  /** "three minutes ago", seen from `now`. */
  ago(value: string | Date, now?: number): string;
}

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const TIME_UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

export function makeFormat(settings: Settings): Format {
  const locale = localeOf(settings);
  const unit = (value: number, name: string, digits = 0) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: name === "byte" ? "long" : "short",
      maximumFractionDigits: digits,
    }).format(value);
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, options);
    return (value: string | Date) => formatter.format(new Date(value));
  };
  return {
    locale,
    number: (value, digits = 2) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
    figure: (value, significant = 4) => figure(locale, value, significant),
    compact: (value) => new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(value),
    percent: (value, digits = 0) =>
      new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(value / 100),
    bytes: (value) => {
      const power = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), BYTE_UNITS.length - 1);
      const scaled = value / 1000 ** power;
      return unit(scaled, BYTE_UNITS[power] ?? "byte", scaled < 10 && power > 0 ? 1 : 0);
    },
    duration: (seconds) => {
      const parts = inUnits(seconds).map(([name, count]) => unit(count, name));
      return new Intl.ListFormat(locale, { type: "unit", style: "short" }).format(parts);
    },
    date: dates({ dateStyle: "medium" }),
    time: dates({ timeStyle: "medium" }),
    dateTime: dates({ dateStyle: "medium", timeStyle: "short" }),
    ago: (value, now = serverNow()) => ago(locale, (new Date(value).getTime() - now) / 1000),
  };
}

/** The two largest units, neighbours, without those that are zero; `[["second", 0]]` for less than half a second. */
export function inUnits(seconds: number): [string, number][] {
  let rest = Math.max(0, Math.round(seconds));
  const found: [string, number][] = [];
  for (const [name, size] of TIME_UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || found.length > 0) found.push([name, count]);
  }
  const largest = found.slice(0, 2).filter(([, count]) => count > 0);
  return largest.length > 0 ? largest : [["second", 0]];
}

function figure(locale: string, value: number, significant: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-6 && size < 1e7)) {
    return new Intl.NumberFormat(locale, { maximumSignificantDigits: significant }).format(value);
  }
  const power = Math.floor(Math.log10(size));
  const whole = (number: number) =>
    new Intl.NumberFormat(locale, { maximumSignificantDigits: significant }).format(number);
  // Isolated from left to right: in Persian text the sign of the exponent would wander off.
  return `\u2066${whole(value / 10 ** power)}e${whole(power)}\u2069`;
}

function ago(locale: string, seconds: number): string {
  const formatter = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const [name, size] = TIME_UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return formatter.format(Math.round(seconds / size), name);
}

export function useFormat(): Format {
  const settings = useSettings();
  return useMemo(() => makeFormat(settings), [settings]);
}
