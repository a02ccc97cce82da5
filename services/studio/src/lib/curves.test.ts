import { describe, expect, it } from "vitest";
import { asCsv, best, smoothed, withPoints } from "./curves";

const loss = (step: number, value: number) => ({ name: "loss", step, value });

describe("withPoints", () => {
  it("adds what is new, and changes nothing that was there", () => {
    const first = withPoints(new Map(), [loss(1, 3)]);
    const second = withPoints(first, [loss(2, 2), loss(3, 1.5)]);
    expect(second.get("loss")).toEqual({ steps: [1, 2, 3], values: [3, 2, 1.5] });
    expect(first.get("loss")).toEqual({ steps: [1], values: [3] });
  });

  it("forgets what a run that was set back has yet to do again", () => {
    const killed = withPoints(new Map(), [
      loss(1, 3),
      loss(2, 2),
      loss(3, 1),
      { name: "eval_loss", step: 2, value: 5 },
    ]);
    const anew = withPoints(killed, [loss(1, 3), loss(2, 2.5)]);
    expect(anew.get("loss")).toEqual({ steps: [1, 2], values: [3, 2.5] });
    expect(anew.get("eval_loss")).toBe(killed.get("eval_loss"));
  });

  it("leaves other metrics as they are, so that their charts need no new look", () => {
    const first = withPoints(new Map(), [loss(1, 3), { name: "grad_norm", step: 1, value: 9 }]);
    expect(withPoints(first, [loss(2, 2)]).get("grad_norm")).toBe(first.get("grad_norm"));
  });
});

describe("smoothed", () => {
  it("begins where the values begin and follows them", () => {
    expect(smoothed([4, 4, 4], 0.9)).toEqual([4, 4, 4].map((value) => expect.closeTo(value)));
    expect(smoothed([1, 2, 3], 0)).toEqual([1, 2, 3]);
    const [, second] = smoothed([0, 10], 0.5);
    expect(second).toBeCloseTo(20 / 3);
  });
});

describe("best", () => {
  it("is the smallest", () => {
    expect(best({ steps: [10, 20, 30], values: [3, 1, 2] })).toEqual({ step: 20, value: 1 });
    expect(best(undefined)).toBeNull();
  });
});

describe("asCsv", () => {
  it("has a row a step", () => {
    const series = withPoints(new Map(), [loss(1, 3), loss(2, 2), { name: "eval_loss", step: 2, value: 2.5 }]);
    expect(asCsv(series)).toBe("step,eval_loss,loss\n1,,3\n2,2.5,2\n");
  });
});
