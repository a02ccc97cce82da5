import { describe, expect, it } from "vitest";
import en from "../i18n/en/common.json";
import fa from "../i18n/fa/common.json";
import { type Titled, titleParts } from "./jobTitles";
import cases from "./jobTitles.cases.json";

/** A job as the gateway answers to the case's body, as far as titles go. */
function jobOf({ body, job }: (typeof cases)[number]): Titled {
  const named = (name?: string) =>
    name === undefined ? null : { name: name.split("/").pop(), version: 1, versionId: "v" };
  const { model, baseModel, dataset } = body as Record<string, string | undefined>;
  const config = {
    baseModel: named(model ?? baseModel),
    dataset: named(dataset),
    params: body,
    submitted: body,
    ...("config" in job ? job.config : {}),
  };
  return { kind: job.kind, name: job.name, config } as unknown as Titled;
}

describe("a job's title", () => {
  it.each(cases)("is made of kind and parameters unless it was given: $job.name", (one) => {
    expect(titleParts(jobOf(one))).toEqual(one.told);
  });

  it.each(cases)("is the name that somebody gave it: not $job.name", (one) => {
    expect(titleParts({ ...jobOf(one), name: "شب یلدا" })).toBeNull();
  });

  it("is a training's own", () => {
    const [first] = cases;
    if (first !== undefined) expect(titleParts({ ...jobOf(first), kind: "train" })).toBeNull();
  });

  it.each([fa, en])("has a text with every part, in either language", ({ titles }) => {
    for (const { job, told } of cases) {
      const text = titles[job.kind as keyof typeof titles];
      for (const part of Object.keys(told ?? {})) expect(text).toContain(`{{${part}}}`);
    }
  });
});
