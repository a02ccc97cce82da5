import { describe, expect, it } from "vitest";
import { wordDiff } from "./wordDiff";

const changed = (before: string, after: string) =>
  wordDiff(before, after).map((parts) => parts.filter((part) => part.changed).map(({ text }) => text.trim()));

describe("what a repair changed", () => {
  it("is told by words", () => {
    expect(changed("پدر کامپیوتر ها شناخته", "پدر کامپیوتر‌ها شناخته")).toEqual([["کامپیوتر ها"], ["کامپیوتر‌ها"]]);
    expect(changed("a b c", "a b c")).toEqual([[], []]);
    expect(changed("a  b", "a b")).toEqual([[], []]);
  });

  it("loses nothing of the texts", () => {
    const [before, after] = wordDiff(" از سوى  دشمنان", "از سوی دشمنان ");
    expect(before.map(({ text }) => text).join("")).toBe(" از سوى  دشمنان");
    expect(after.map(({ text }) => text).join("")).toBe("از سوی دشمنان ");
  });

  it("leaves very long texts alone", () => {
    const long = "a ".repeat(1000);
    expect(wordDiff(long, `${long}b`)[0]).toEqual([{ text: long, changed: false }]);
  });
});
