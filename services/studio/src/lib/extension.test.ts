import { describe, expect, it } from "vitest";
import type { Job, Recipe } from "../api/client";
import { extensionOf, sequel } from "./extension";

const RECIPE = {
  paramsSchema: {
    properties: {
      epochs: { type: "integer", minimum: 1, maximum: 10_000, default: 3, basic: { minimum: 1, maximum: 100 } },
      max_steps: {
        anyOf: [{ type: "integer", minimum: 1, maximum: 100_000_000 }, { type: "null" }],
        default: null,
        basic: { minimum: 10, maximum: 10_000 },
      },
    },
  },
} as unknown as Recipe;

function job(params: object, totalSteps: number, submitted: object = {}): Job {
  return { config: { params, submitted }, progress: { totalSteps } } as unknown as Job;
}

describe("an extension", () => {
  it("counts epochs, as far as the recipe goes", () => {
    const found = extensionOf(job({ epochs: 4, max_steps: null }, 80), RECIPE);
    expect([found.unit, found.had, found.range.low, found.range.high, found.standard]).toEqual(["epochs", 4, 1, 96, 3]);
    expect(extensionOf(job({ epochs: 99 }, 80), RECIPE).standard).toBe(1);
    expect(extensionOf(job({ epochs: 100 }, 80), RECIPE).range.high).toBe(0);
    expect(extensionOf(job({ epochs: 100 }, 80, { advanced: true }), RECIPE).range.high).toBe(9_900);
  });

  it("counts steps where these ended the job", () => {
    const found = extensionOf(job({ epochs: 3, max_steps: 30 }, 30), RECIPE);
    expect([found.unit, found.had, found.range.high, found.standard]).toEqual(["steps", 30, 9_970, 30]);
    expect(extensionOf(job({ epochs: 3, max_steps: 9_990 }, 9_990), RECIPE).standard).toBe(10);
    expect(extensionOf(job({ epochs: 3, max_steps: 1_000 }, 60), RECIPE).unit).toBe("epochs");
  });

  it("has no upper end that is not known", () => {
    const found = extensionOf(job({ epochs: 3 }, 60), undefined);
    expect([found.range.high, found.standard]).toEqual([null, 1]);
  });

  it("has a name of its own, as the gateway makes them", () => {
    expect(["first", "first (2)", "(2)", "آزمون (۲)"].map(sequel)).toEqual([
      "first (2)",
      "first (3)",
      "(2) (2)",
      "آزمون (۲) (2)",
    ]);
    expect(sequel("x".repeat(200))).toBe(`${"x".repeat(196)} (2)`);
  });
});
