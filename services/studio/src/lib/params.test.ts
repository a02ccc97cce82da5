import { describe, expect, it } from "vitest";
import { readNumber } from "./numbers";
import { type Param, paramsOf, sentValue, wrong } from "./params";

const SCHEMA = {
  properties: {
    epochs: { type: "integer", minimum: 1, maximum: 10_000, default: 3, basic: { minimum: 1, maximum: 100 } },
    max_steps: {
      anyOf: [{ type: "integer", minimum: 1, maximum: 100_000_000 }, { type: "null" }],
      default: null,
      basic: { minimum: 10, maximum: 10_000 },
    },
    learning_rate: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 10,
      default: 0.0002,
      basic: { minimum: 1e-5, maximum: 0.01 },
    },
    method: { enum: ["lora", "full"], type: "string", default: "lora" },
    eval_at_start: { type: "boolean", default: true },
    target_modules: { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }], default: null },
  },
};
const params = new Map(paramsOf(SCHEMA).map((param) => [param.name, param]));
const param = (name: string) => params.get(name) as Param;

describe("numbers", () => {
  it("are read in every script", () => {
    expect(readNumber("۱٬۲۳۴٫۵")).toBe(1234.5);
    expect(readNumber(" 2e-4 ")).toBe(0.0002);
    expect(readNumber("٠٫٥")).toBe(0.5);
    for (const text of ["", "two", "1.2.3", "1e999"]) expect(readNumber(text)).toBeNull();
  });
});

describe("parameters", () => {
  it("are what the schema says, optional ones too", () => {
    expect([...params.values()].map(({ kind }) => kind)).toEqual([
      "integer",
      "integer",
      "number",
      "choice",
      "switch",
      "list",
    ]);
    expect([param("max_steps").nullable, param("max_steps").wide.high]).toEqual([true, 100_000_000]);
    expect(param("max_steps").basic).toEqual({ low: 10, high: 10_000, openLow: false, openHigh: false });
  });

  it("have a narrow range unless a wide one was asked for", () => {
    expect(wrong(param("epochs"), "۱۰۱", false)).toBe("out_of_range");
    expect(wrong(param("epochs"), "101", true)).toBeNull();
    expect(wrong(param("learning_rate"), "0", true)).toBe("out_of_range");
    expect(wrong(param("learning_rate"), "0.02", false)).toBe("out_of_range");
    expect(wrong(param("epochs"), "1.5", false)).toBe("not_whole");
    expect(wrong(param("epochs"), "x", false)).toBe("not_number");
    expect(wrong(param("epochs"), "", false)).toBeNull();
  });

  it("are refused where a page would lose their digits", () => {
    const [seed] = paramsOf({ properties: { seed: { type: "integer", minimum: 0, maximum: 2 ** 63, default: 42 } } });
    const judged = ["9007199254740991", "۹۰۰۷۱۹۹۲۵۴۷۴۰۹۹۲", "9007199254740993", "1e18"];
    expect(judged.map((text) => wrong(seed as Param, text, true))).toEqual([null, "too_long", "too_long", "too_long"]);
    expect(wrong(param("epochs"), "9007199254740993", true)).toBe("out_of_range");
  });

  it("are sent only where they differ from what holds anyway", () => {
    expect(sentValue(param("epochs"), undefined)).toBeUndefined();
    expect(sentValue(param("epochs"), "۳")).toBeUndefined();
    expect(sentValue(param("epochs"), "5")).toBe(5);
    expect(sentValue(param("max_steps"), "")).toBeUndefined();
    expect(sentValue(param("eval_at_start"), false)).toBe(false);
    expect(sentValue(param("target_modules"), "q_proj، v_proj")).toEqual(["q_proj", "v_proj"]);
  });
});
