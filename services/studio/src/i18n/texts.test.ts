import { describe, expect, it } from "vitest";

type Texts = { [key: string]: string | Texts };

const FILES = import.meta.glob<Texts>("./{fa,en}/*.json", { eager: true, import: "default" });
const names = [...new Set(Object.keys(FILES).map((path) => path.split("/")[2] ?? ""))];
// English titles of parameters come from the recipes themselves, words about failures from the services.
const OWN_ENGLISH = ["params.json", "failures.json"];

function keys(texts: Texts, prefix = ""): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string" ? [prefix + key] : keys(value, `${prefix}${key}.`),
  );
}

function values(texts: Texts): string[] {
  return Object.values(texts).flatMap((value) => (typeof value === "string" ? [value] : values(value)));
}

describe("texts", () => {
  it.each(names.filter((name) => !OWN_ENGLISH.includes(name)))("%s has the same keys in both languages", (name) => {
    expect(keys(FILES[`./fa/${name}`] ?? {}).sort()).toEqual(keys(FILES[`./en/${name}`] ?? {}).sort());
  });

  it.each(names)("%s is Persian with Persian letters", (name) => {
    const texts = values(FILES[`./fa/${name}`] ?? {});
    expect(texts.filter((text) => /[يكىة٠-٩]/.test(text))).toEqual([]);
    expect(texts.filter((text) => /(^|\s)ن?می [آ-ی]/.test(text))).toEqual([]);
  });
});
