import { describe, expect, it } from "vitest";
import { isDatasetName, nameOfFile } from "./datasetNames";

describe("names of datasets", () => {
  it.each(["qa", "lab/qa.v2", "9-a_b"])("takes %s", (name) => expect(isDatasetName(name)).toBe(true));
  it.each(["", "سوال", "a b", "/a", "a/b/c", "a..b", ".a"])("refuses '%s'", (name) =>
    expect(isDatasetName(name)).toBe(false),
  );

  it("follow the file", () => {
    expect(nameOfFile("persian_qa.jsonl")).toBe("persian_qa");
    expect(nameOfFile("train.csv.gz")).toBe("train");
    expect(nameOfFile("my rows (2).json")).toBe("my-rows-2");
    expect(nameOfFile("سوال‌ها.csv")).toBe("");
  });
});
