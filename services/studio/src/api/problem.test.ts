import { describe, expect, it } from "vitest";
import { ApiProblem, isLost } from "./problem";

const problem = (status: number) => new ApiProblem(status, null, "");

describe("isLost", () => {
  it("keeps what was loaded while nothing answers", () => {
    expect(isLost(null, undefined)).toBe(false);
    expect(isLost(problem(0), { name: "persian-qa" })).toBe(false);
    expect(isLost(problem(503), { name: "persian-qa" })).toBe(false);
  });

  it("says so where nothing was loaded, and where somebody deleted what was", () => {
    expect(isLost(problem(0), undefined)).toBe(true);
    expect(isLost(problem(404), { name: "persian-qa" })).toBe(true);
  });
});
