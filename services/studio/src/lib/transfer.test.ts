import { describe, expect, it } from "vitest";
import { type Mark, secondsLeft, speedOf, withMark } from "./transfer";

const steady = (seconds: number): Mark[] => {
  let marks: Mark[] = [];
  for (let at = 0; at <= seconds * 1000; at += 250) marks = withMark(marks, { at, bytes: at * 2 });
  return marks;
};

describe("speed", () => {
  it("waits for half a second before it says anything", () => {
    expect(speedOf([])).toBeNull();
    expect(speedOf(steady(0.25))).toBeNull();
    expect(speedOf(steady(1))).toBe(2000);
  });

  it("is of the last seconds alone", () => {
    const marks = steady(60);
    expect(marks.length).toBeLessThan(25);
    expect(speedOf(withMark(marks, { at: 65_000, bytes: 120_000 }))).toBeLessThan(100);
  });

  it("is of the new beginning where it is sent once more", () => {
    const again = withMark(steady(10), { at: 10_250, bytes: 100 });
    expect(speedOf(again)).toBeNull();
    expect(speedOf(withMark(again, { at: 11_250, bytes: 1100 }))).toBe(1000);
  });

  it("tells what is left, unless nothing moves", () => {
    expect(secondsLeft(steady(10), 30_000)).toBe(5);
    expect(
      secondsLeft(
        [
          { at: 0, bytes: 5 },
          { at: 9000, bytes: 5 },
        ],
        10,
      ),
    ).toBeNull();
  });
});
