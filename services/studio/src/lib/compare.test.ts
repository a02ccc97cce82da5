import { describe, expect, it } from "vitest";
import type { Job } from "../api/client";
import { axisOf, configRows, csv, finals, labelsOf } from "./compare";

const job = (params: object, progress: object, durationSeconds = 10) =>
  ({
    config: {
      recipe: "sft",
      baseModel: { name: "m", version: 1 },
      dataset: { name: "d", version: 2 },
      devices: 1,
      params,
    },
    progress,
    durationSeconds,
  }) as unknown as Job;
const JOBS = [
  job({ epochs: 3, max_steps: null }, { evalLoss: 1.5, accuracy: 0.4, step: 30, epoch: 1.5 }),
  job({ epochs: 5, max_steps: null, lora_r: 8 }, { evalLoss: 1.2, accuracy: 0.4 }),
];

describe("names", () => {
  it("that several have are told apart", () => {
    const named = (id: string, name: string) => ({ id, name });
    const labels = labelsOf([named("job_1abcd", "qa"), named("job_1wxyz", "qa"), named("job_2", "other")]);
    expect([...labels.values()]).toEqual(["qa · abcd", "qa · wxyz", "other"]);
  });
});

describe("configurations", () => {
  it("tell what differs", () => {
    const rows = configRows(JOBS);
    expect(rows.filter(({ differs }) => differs).map(({ name, values }) => [name, ...values])).toEqual([
      ["epochs", "3", "5"],
      ["lora_r", "–", "8"],
    ]);
    expect(rows.find(({ name }) => name === "dataset")?.values).toEqual(["d@2", "d@2"]);
  });
});

describe("figures", () => {
  it("have a best one where they differ", () => {
    const found = new Map(finals(JOBS).map((final) => [final.name, final]));
    expect(found.get("eval_loss")?.best).toEqual([1]);
    expect(found.get("accuracy")?.best).toEqual([]);
    expect(found.get("steps")).toEqual({ name: "steps", values: [30, null], best: [] });
    expect(found.has("tokens_per_second")).toBe(false);
  });
});

describe("axes", () => {
  const track = { steps: [0, 10, 20], values: [1, 2, 3], times: [0, 60, 90] };
  it("are steps, epochs or minutes", () => {
    expect(axisOf(track, "step", JOBS[0] as Job)).toEqual([0, 10, 20]);
    expect(axisOf(track, "epoch", JOBS[0] as Job)).toEqual([0, 0.5, 1]);
    expect(axisOf(track, "epoch", JOBS[1] as Job)).toEqual([]);
    expect(axisOf(track, "time", JOBS[0] as Job)).toEqual([0, 1, 1.5]);
  });
});

describe("CSV", () => {
  it("quotes what needs it, and starts no formula", () => {
    expect(
      csv([
        ["a,b", 'say "x"', null, 1.5],
        ["=1+1", "-x", "-3", "کار"],
      ]),
    ).toBe('"a,b","say ""x""",,1.5\n\'=1+1,\'-x,-3,کار\n');
  });
});
