import { describe, expect, it } from "vitest";
import { contained } from "./bidi";

describe("contained", () => {
  it("leaves what turns nothing, or turns it back, as it is", () => {
    for (const text of ["run", "کار ۱", "\u20662.5e-9\u2069", "a\u200fb"]) expect(contained(text)).toBe(text);
  });

  it("ends an override with its text", () => {
    expect(contained("run\u202egpj")).toBe("\u2068run\u202egpj\u2069");
  });

  it("closes what was opened, and closes nothing else", () => {
    expect(contained("a\u2067b\u2066c")).toBe("\u2068a\u2067b\u2066c\u2069\u2069\u2069");
    expect(contained("a\u2069b")).toBe("ab");
    expect(contained("\u2069\u202ea")).toBe("\u2068\u202ea\u2069");
  });
});
