// A text written in Markdown, as elements: nothing of it is ever taken as HTML, and no image is fetched. It runs in the
// direction of its first words, and each of its paragraphs in its own.
import { Anchor, Code, List, Table, Text, Title, type TitleOrder } from "@mantine/core";
import { IconPhoto } from "@tabler/icons-react";
import { useMemo } from "react";
import { type Block, blocksOf, type Inline } from "../lib/markdown";
import classes from "./Markdown.module.css";

interface Props {
  text: string;
  /** The level of its uppermost headings on this page. */
  top: number;
}

export function Markdown({ text, top }: Props) {
  const blocks = useMemo(() => blocksOf(text, top), [text, top]);
  return (
    <div className={classes.text} dir="auto">
      {numbered(blocks).map(([key, block]) => (
        <Part key={key} block={block} />
      ))}
    </div>
  );
}

/** Parts of a text have no name but their place, and never move. */
function numbered<Item>(items: Item[]): [string, Item][] {
  return items.map((item, place) => [`${place}`, item]);
}

function Part({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      return (
        <Title order={block.level as TitleOrder}>
          <Line text={block.text} />
        </Title>
      );
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        <pre className={classes.code} dir="ltr" tabIndex={0}>
          {block.code}
        </pre>
      );
    case "list":
      return <Items ordered={block.ordered} items={block.items} />;
    case "table":
      return <Cells head={block.head} rows={block.rows} />;
    case "rule":
      return <hr className={classes.rule} />;
    default:
      return (
        <Text component={block.kind === "quote" ? "blockquote" : "p"} className={`k-plain ${classes[block.kind]}`}>
          <Line text={block.text} />
        </Text>
      );
  }
}

function Items({ ordered, items }: { ordered: boolean; items: Inline[][] }) {
  return (
    <List type={ordered ? "ordered" : "unordered"} withPadding>
      {numbered(items).map(([key, item]) => (
        <List.Item key={key} className="k-plain">
          <Line text={item} />
        </List.Item>
      ))}
    </List>
  );
}

function Cells({ head, rows }: { head: Inline[][]; rows: Inline[][][] }) {
  const named = head.some((cell) => cell.length > 0);
  return (
    <Table.ScrollContainer minWidth={360} type="native" tabIndex={0}>
      <Table layout="auto" verticalSpacing={6}>
        {named && (
          <Table.Thead>
            <Table.Tr>
              {numbered(head).map(([key, cell]) => (
                <Table.Th key={key} className="k-plain">
                  <Line text={cell} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
        )}
        <Table.Tbody>
          {numbered(rows).map(([key, row]) => (
            <Table.Tr key={key}>
              {numbered(row).map(([place, cell]) => (
                <Table.Td key={place} className="k-plain">
                  <Line text={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Line({ text }: { text: Inline[] }) {
  return numbered(text).map(([key, part]) => <Piece key={key} part={part} />);
}

function Piece({ part }: { part: Inline }) {
  switch (part.kind) {
    case "code":
      return <Code dir="ltr">{part.text}</Code>;
    case "strong":
      return <strong>{part.text}</strong>;
    case "emphasis":
      return <em>{part.text}</em>;
    case "link":
      return (
        <Anchor href={part.href} target="_blank" rel="noopener noreferrer nofollow" underline="always" inherit>
          {part.text}
        </Anchor>
      );
    case "image":
      return (
        <span className={classes.image}>
          <IconPhoto size={15} aria-hidden /> {part.text}
        </span>
      );
    default:
      return part.text;
  }
}
