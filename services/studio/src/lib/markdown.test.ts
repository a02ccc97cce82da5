import { describe, expect, it } from "vitest";
import { blocksOf, inlinesOf } from "./markdown";

const kinds = (text: string) => blocksOf(text).map((block) => block.kind);

describe("blocksOf", () => {
  it("reads a card: front matter aside, headings, tables, lists, code", () => {
    const card =
      "---\nlicense: mit\n---\n# A\n\ntext\n- one\n- two\n  more\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```py\nx = 1\n```";
    expect(kinds(card)).toEqual(["heading", "paragraph", "list", "table", "code"]);
    expect(blocksOf(card)[4]).toEqual({ kind: "code", code: "x = 1" });
    const list = blocksOf(card)[2];
    expect(list?.kind === "list" && list.items.map((item) => item.map((part) => part.text).join(""))).toEqual([
      "one",
      "two more",
    ]);
  });

  it("lets headings skip no level", () => {
    const levels = blocksOf("# a\n#### b\n## c\n# d", 2).map((block) => (block.kind === "heading" ? block.level : 0));
    expect(levels).toEqual([2, 3, 3, 2]);
  });

  it("comes to the end of what is never closed", () => {
    expect(kinds("---\nno end")).toEqual(["rule", "paragraph"]);
    expect(kinds("```\nno end")).toEqual(["code"]);
    expect(kinds("> quoted\n> more")).toEqual(["quote"]);
  });

  it("comes to the end of long hostile lines", () => {
    const pieces = ["*a", "[", "[a](", "| ", "- ", "-", "# #", "`"];
    const text = pieces.map((piece) => `${piece.repeat(50_000)}x`).join("\n\n");
    expect(blocksOf(text)).toHaveLength(pieces.length);
  });
});

describe("inlinesOf", () => {
  it("keeps tags as text and links only to the web", () => {
    expect(inlinesOf("<b>x</b>")).toEqual([{ kind: "text", text: "<b>x</b>" }]);
    expect(inlinesOf("[a](javascript:alert(1))")[0]).toEqual({ kind: "text", text: "a" });
    expect(inlinesOf("[a](https://b.c)")).toEqual([{ kind: "link", text: "a", href: "https://b.c" }]);
    expect(inlinesOf("see **this** and `that`").map((part) => part.kind)).toEqual(["text", "strong", "text", "code"]);
  });
});
