import { describe, expect, it } from "vitest";
import { inUnits, makeFormat } from "./format";

const fa = makeFormat({ language: "fa", digits: "auto", calendar: "auto" });
const en = makeFormat({ language: "en", digits: "auto", calendar: "auto" });

describe("numbers", () => {
  it("uses the language's digits", () => {
    expect(fa.number(1234.5)).toBe("۱٬۲۳۴٫۵");
    expect(en.number(1234.5)).toBe("1,234.5");
  });

  it("lets a person choose the digits", () => {
    expect(makeFormat({ language: "fa", digits: "latin", calendar: "auto" }).number(12)).toBe("12");
    expect(makeFormat({ language: "en", digits: "persian", calendar: "auto" }).number(12)).toBe("۱۲");
  });

  it("shows very small figures with an exponent, from left to right", () => {
    expect(en.figure(0.00002)).toBe("0.00002");
    expect(en.figure(2.5e-9)).toBe("\u20662.5e-9\u2069");
    expect(en.figure(1.23456)).toBe("1.235");
    expect(en.figure(0)).toBe("0");
    expect(en.figure(Number.NaN)).toBe("NaN");
  });

  it("takes percentages from 0 to 100", () => {
    expect(en.percent(42.4)).toBe("42%");
    expect(fa.percent(42)).toContain("۴۲");
  });
});

describe("sizes", () => {
  it("counts in powers of a thousand", () => {
    expect(en.bytes(999)).toBe("999 bytes");
    expect(en.bytes(1500)).toBe("1.5 kB");
    expect(en.bytes(269_000_000)).toBe("269 MB");
    expect(fa.bytes(269_000_000)).toContain("۲۶۹");
  });
});

describe("times", () => {
  it("names the two largest units", () => {
    expect(inUnits(3725)).toEqual([
      ["hour", 1],
      ["minute", 2],
    ]);
    expect(inUnits(3601)).toEqual([["hour", 1]]);
    expect(inUnits(0.2)).toEqual([["second", 0]]);
    expect(en.duration(125)).toBe("2 mins, 5 secs");
  });

  it("knows the Persian calendar", () => {
    expect(fa.date("2026-03-21T12:00:00Z")).toContain("۱۴۰۵");
    expect(en.date("2026-03-21T12:00:00Z")).toContain("2026");
    const gregorian = makeFormat({ language: "fa", digits: "auto", calendar: "gregorian" });
    expect(gregorian.date("2026-03-21T12:00:00Z")).toContain("۲۰۲۶");
  });

  it("says how long ago something was", () => {
    const now = Date.parse("2026-01-01T00:10:00Z");
    expect(en.ago("2026-01-01T00:00:00Z", now)).toBe("10 minutes ago");
    expect(fa.ago("2026-01-01T00:00:00Z", now)).toBe("۱۰ دقیقه پیش");
  });
});
