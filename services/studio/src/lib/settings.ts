// What a person chose for this browser: kept in localStorage, read by hooks.
import { useSyncExternalStore } from "react";

export type Language = "fa" | "en";
export type Digits = "auto" | "persian" | "latin";
export type Calendar = "auto" | "persian" | "gregorian";

export interface Settings {
  language: Language;
  digits: Digits;
  calendar: Calendar;
}

const KEY = "kargah.settings";
const DEFAULTS: Settings = { language: "fa", digits: "auto", calendar: "auto" };

let current = read();
const listeners = new Set<() => void>();

function read(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return DEFAULTS; // storage that is switched off, or holds something else
  }
}

export function settings(): Settings {
  return current;
}

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // they last as long as the page, then
  }
  tellAll();
}

/** Called once, when the page begins: what is chosen in another tab holds in this one, which must not write an older
 * choice over it. */
export function followOtherTabs(): void {
  window.addEventListener("storage", ({ key }) => {
    if (key !== KEY) return;
    current = read();
    tellAll();
  });
}

function tellAll(): void {
  for (const tell of listeners) tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, settings);
}

/** The BCP 47 tag that `Intl` formats with: language, calendar and digits as chosen. */
export function localeOf({ language, digits, calendar }: Settings): string {
  const persian = language === "fa";
  const calendarTag = (calendar === "auto" ? persian : calendar === "persian") ? "persian" : "gregory";
  const digitsTag = (digits === "auto" ? persian : digits === "persian") ? "arabext" : "latn";
  return `${persian ? "fa-IR" : "en-GB"}-u-ca-${calendarTag}-nu-${digitsTag}`;
}
