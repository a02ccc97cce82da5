import { expect, it } from "vitest";
import { piecesOf } from "./spans";

it("tells a template's signs from text", () => {
  expect(piecesOf("<|im_start|>user\nسلام<|im_end|>")).toEqual([
    { text: "<|im_start|>", special: true },
    { text: "user\nسلام", special: false },
    { text: "<|im_end|>", special: true },
  ]);
  expect(piecesOf("a < b | c > d [x]")).toEqual([{ text: "a < b | c > d [x]", special: false }]);
  expect(piecesOf("")).toEqual([]);
});
