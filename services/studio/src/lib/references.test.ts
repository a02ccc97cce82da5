import { describe, expect, it } from "vitest";
import { isOld, partsOf } from "./references";

describe("references", () => {
  it("name a version or the newest", () => {
    expect(partsOf("owner/qa@12")).toEqual({ name: "owner/qa", version: "12" });
    expect(partsOf("qa")).toEqual({ name: "qa", version: undefined });
  });

  it("are old once there is a newer version than theirs", () => {
    expect(["qa@2", "qa@10", "qa", "qa@production"].map((one) => isOld(one, 10))).toEqual([true, false, false, false]);
  });
});
