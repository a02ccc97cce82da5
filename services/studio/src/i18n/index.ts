// Texts by language and page: the first page's come first, all others soon after.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { contained } from "../lib/bidi";
import { type Language, settings, useSettings } from "../lib/settings";

const FILES = import.meta.glob<{ default: Record<string, unknown> }>("./{fa,en}/*.json");

const loader = {
  type: "backend" as const,
  init() {},
  read(
    language: string,
    namespace: string,
    done: (error: Error | null, texts: Record<string, unknown> | null) => void,
  ) {
    const load = FILES[`./${language}/${namespace}.json`];
    if (load === undefined) return done(new Error(`no texts of ${namespace} in ${language}`), null);
    load().then(
      (file) => done(null, file.default),
      (error: Error) => done(error, null),
    );
  },
};

export const DIRECTION: Record<Language, "rtl" | "ltr"> = { fa: "rtl", en: "ltr" };

const NAMESPACES = [...new Set(Object.keys(FILES).map((file) => file.replace(/^.*\/|\.json$/g, "")))];

export function startTexts(): Promise<unknown> {
  return i18next
    .use(loader)
    .use(initReactI18next)
    .init({
      lng: settings().language,
      fallbackLng: false,
      supportedLngs: ["fa", "en"],
      ns: ["common"],
      defaultNS: "common",
      interpolation: { escape: contained }, // of HTML React takes care
      returnNull: false,
      saveMissing: true,
      missingKeyHandler: (languages, namespace, key, _otherwise, _update, options) =>
        options?.defaultValue === undefined && console.error(`no text: ${languages} ${namespace}:${key}`),
    });
}

/** A part of a page that waits for its texts takes the whole page away until they come, and the focus with it. */
export async function loadAllTexts(): Promise<void> {
  await i18next.loadNamespaces(NAMESPACES);
}

export function useDirection(): "rtl" | "ltr" {
  return DIRECTION[useSettings().language];
}

export { i18next };
