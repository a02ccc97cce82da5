import { expect, it } from "vitest";
import { wishOf } from "./wishes";

it("is what was asked for until that is answered, and then what the gateway says", () => {
  const runs = { status: "training", desired: "run" } as const;
  expect([wishOf(runs, "pause"), wishOf({ ...runs, desired: "pause" }, null), wishOf(runs, null)]).toEqual([
    "pause",
    "pause",
    null,
  ]);
  const paused = { status: "paused", desired: "pause" } as const;
  expect([wishOf(paused, "resume"), wishOf(paused, null)]).toEqual(["resume", null]);
  expect(wishOf(runs, "checkpoint")).toBeNull();
});
