// Where a version comes from and what was made of it, drawn in generations: earlier ones at the beginning of the line.
import { Text } from "@mantine/core";
import { IconBox, IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/client";
import { type LineageView, lineageQuery } from "../../api/models";
import { useDirection } from "../../i18n";
import { useFormat } from "../../lib/format";
import { type Drawing, drawingOf } from "../../lib/lineage";
import { Bones, Failed } from "../../ui/states";
import classes from "./Lineage.module.css";

/** Something in the drawing: a version, or the data that it was trained with. */
interface Member {
  id: string;
  of: string;
  depth: number;
  what: "model" | "dataset";
  title: string;
  to: string | null;
  relation: string;
  note: string | null;
  jobId: string | null;
}

const WIDTH = 210;
const HEIGHT = 92;
const GAP_X = 56;
const GAP_Y = 18;

export function LineageMap({ version }: { version: ModelVersion }) {
  const { data, error, refetch } = useQuery(lineageQuery(version));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={1} height={130} />;
  const self = selfOf(data.version);
  const ancestors = [...data.ancestors.map(memberOf), ...dataOf(data.version)];
  return <Picture self={self} drawing={drawingOf(self.id, ancestors, data.descendants.map(memberOf))} />;
}

function Picture({ self, drawing }: { self: Member; drawing: Drawing<Member> }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const width = drawing.columns * WIDTH + (drawing.columns - 1) * GAP_X;
  const height = drawing.rows * HEIGHT + (drawing.rows - 1) * GAP_Y;
  const nodes = [{ node: self, ...drawing.self }, ...drawing.nodes];
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label={t("lineage.title")}>
        <div className={classes.map} style={{ width, height }}>
          <Edges drawing={drawing} self={self.id} width={width} height={height} />
          {nodes.map(({ node, column, row }) => (
            <Node key={node.id} member={node} here={node.id === self.id} column={column} row={row} />
          ))}
        </div>
      </section>
      {drawing.nodes.length === 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          {t("lineage.alone")}
        </Text>
      )}
      {drawing.hidden > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          {t("lineage.hidden", { number: format.number(drawing.hidden) })}
        </Text>
      )}
    </>
  );
}

interface EdgesProps {
  drawing: Drawing<Member>;
  self: string;
  width: number;
  height: number;
}

function Edges({ drawing, self, width, height }: EdgesProps) {
  const direction = useDirection();
  const places = new Map(drawing.nodes.map(({ node, ...place }) => [node.id, place]));
  places.set(self, drawing.self);
  const at = (id: string) => places.get(id) ?? drawing.self;
  return (
    <svg
      className={classes.edges}
      data-direction={direction}
      width={width}
      height={height}
      aria-hidden
      focusable="false"
    >
      {drawing.edges.map(([from, to]) => (
        <path key={`${from} ${to}`} d={curve(at(from), at(to))} />
      ))}
    </svg>
  );
}

type Place = { column: number; row: number };

/** From the end of one box to the beginning of another. */
function curve(from: Place, to: Place): string {
  const x1 = from.column * (WIDTH + GAP_X) + WIDTH;
  const x2 = to.column * (WIDTH + GAP_X);
  const y1 = from.row * (HEIGHT + GAP_Y) + HEIGHT / 2;
  const y2 = to.row * (HEIGHT + GAP_Y) + HEIGHT / 2;
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

interface NodeProps {
  member: Member;
  here: boolean;
  column: number;
  row: number;
}

function Node({ member, here, column, row }: NodeProps) {
  const { t } = useTranslation("models");
  const Icon = member.what === "model" ? IconBox : IconDatabase;
  const place: CSSProperties = {
    width: WIDTH,
    height: HEIGHT,
    insetInlineStart: column * (WIDTH + GAP_X),
    insetBlockStart: row * (HEIGHT + GAP_Y),
  };
  return (
    <div className={`k-card ${classes.node}`} style={place} data-here={here || undefined} data-what={member.what}>
      <span className={classes.relation}>
        <Icon size={14} aria-hidden /> {t(`lineage.relations.${member.relation}`, member.relation)}
      </span>
      {member.to === null || here ? (
        <strong className={classes.title}>
          <bdi dir="ltr">{member.title}</bdi>
        </strong>
      ) : (
        <Link to={member.to} className={classes.title}>
          <bdi dir="ltr">{member.title}</bdi>
        </Link>
      )}
      <span className={classes.note}>
        {member.jobId !== null && <Link to={`/jobs/${member.jobId}`}>{t("lineage.job")}</Link>}
        {member.note !== null && <bdi>{member.note}</bdi>}
      </span>
    </div>
  );
}

function memberOf(node: LineageView["ancestors"][number]): Member {
  const there = node.present !== false && node.model != null;
  return {
    ...node,
    what: "model",
    title: node.model == null ? node.id : `${node.model}@${node.version}`,
    to: there ? `/models/${node.model}?version=${node.version}` : null,
    relation: node.present === false ? "deleted" : node.relation,
    note: node.dataset ?? null,
    jobId: node.jobId ?? null,
  };
}

function selfOf(version: ModelVersion): Member {
  const job = version.lineage?.job_id;
  return {
    id: version.id,
    of: version.id,
    depth: 0,
    what: "model",
    title: `${version.model}@${version.version}`,
    to: null,
    relation: "self",
    note: null,
    jobId: typeof job === "string" ? job : null,
  };
}

/** The data that it was trained with, as one more that it comes from. */
function dataOf({ id, lineage }: ModelVersion): Member[] {
  const { dataset, dataset_version: at } = lineage ?? {};
  if (typeof dataset !== "string") return [];
  return [
    {
      id: `${id}:dataset`,
      of: id,
      depth: 1,
      what: "dataset",
      title: typeof at === "number" ? `${dataset}@${at}` : dataset,
      to: `/datasets/${dataset}`,
      relation: "dataset",
      note: null,
      jobId: null,
    },
  ];
}
