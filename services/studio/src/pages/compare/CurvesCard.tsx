// One metric of all jobs on one chart.
import { Button, Group, SegmentedControl, Select, Slider, Switch, Text, Title } from "@mantine/core";
import { IconArrowBackUp, IconDownload } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { trackQuery } from "../../api/compare";
import { type AxisKind, axisOf, csv, labelsOf, type Track } from "../../lib/compare";
import { smoothed } from "../../lib/curves";
import { saveCsv } from "../../lib/files";
import { type Curve, LineChart } from "../../ui/LineChart";
import { Bones, Failed } from "../../ui/states";
import classes from "./ComparePage.module.css";

const METRICS = [
  "loss",
  "eval_loss",
  "accuracy",
  "eval_accuracy",
  "eval_macro_f1",
  "perplexity",
  "learning_rate",
  "grad_norm",
  "tokens_per_second",
  "memory_bytes",
];
const AXES: AxisKind[] = ["step", "epoch", "time"];
const FEW = 40;

interface View {
  metric: string;
  axis: AxisKind;
  weight: number;
  logarithmic: boolean;
}

export function CurvesCard({ jobs }: { jobs: Job[] }) {
  const { t } = useTranslation(["compare", "job"]);
  const [view, setView] = useState<View>({ metric: "loss", axis: "step", weight: 0.6, logarithmic: false });
  const [range, setRange] = useState<[number, number] | null>(null);
  const tracks = useQueries({ queries: jobs.map((job) => trackQuery(job, view.metric)) });
  const failed = tracks.find(({ error, data }) => error !== null && data === undefined);
  const change = (part: Partial<View>) => {
    if (part.axis !== undefined) setRange(null);
    setView({ ...view, ...part });
  };
  const loaded = tracks.map(({ data }) => data);
  return (
    <section className={`k-card ${classes.card}`}>
      <Group justify="space-between" mb="md">
        <Title order={2} size="h4">
          {t("compare:curves")}
        </Title>
        <Group gap="xs">
          {range !== null && (
            <Button size="xs" leftSection={<IconArrowBackUp size={15} />} onClick={() => setRange(null)}>
              {t("compare:whole")}
            </Button>
          )}
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={15} />}
            aria-label={t("compare:csvCurves")}
            onClick={() => saveCsv(`${view.metric}.csv`, pointsCsv(jobs, loaded, view.metric))}
          >
            CSV
          </Button>
        </Group>
      </Group>
      <Controls view={view} change={change} />
      {failed !== undefined && <Failed error={failed.error} again={() => void failed.refetch()} />}
      {failed === undefined && <Chart jobs={jobs} tracks={loaded} view={view} range={range} onRange={setRange} />}
    </section>
  );
}

interface ChartProps {
  jobs: Job[];
  tracks: (Track | undefined)[];
  view: View;
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
}

function Chart({ jobs, tracks, view, range, onRange }: ChartProps) {
  const { t } = useTranslation("compare");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the array is new each time, its tracks are not
  const curves = useMemo(() => curvesOf(jobs, tracks, view), [jobs, view, ...tracks]);
  if (tracks.some((track) => track === undefined)) return <Bones lines={1} height={360} />;
  if (curves.length === 0) {
    return (
      <Text c="dimmed" py="xl" ta="center">
        {t(view.axis === "epoch" ? "noEpochs" : "noPoints")}
      </Text>
    );
  }
  const label = t(`common:metrics.${view.metric}`);
  return (
    <LineChart
      label={label}
      stepLabel={t(`axis.${view.axis}`)}
      curves={curves}
      height={360}
      range={range}
      onRange={onRange}
      logarithmic={view.logarithmic}
    />
  );
}

function curvesOf(jobs: Job[], tracks: (Track | undefined)[], { metric, axis, weight }: View): Curve[] {
  const labels = labelsOf(jobs);
  return jobs.flatMap((job, place) => {
    const track = tracks[place];
    if (track === undefined || track.steps.length === 0) return [];
    const steps = axisOf(track, axis, job);
    if (steps.length === 0) return [];
    const few = track.steps.length < FEW || metric.startsWith("eval") || metric === "perplexity";
    const values = few && track.steps.length < 3 ? track.values : smoothed(track.values, weight);
    return [{ label: labels.get(job.id) ?? job.name, steps, values, color: place + 1, dots: few }];
  });
}

/** As they were told: a line a point, without smoothing. */
function pointsCsv(jobs: Job[], tracks: (Track | undefined)[], metric: string): string {
  const lines = jobs.flatMap((job, place) => {
    const track = tracks[place];
    return (track?.steps ?? []).map((step, at) => [
      job.id,
      job.name,
      step,
      track?.times[at] ?? null,
      track?.values[at] ?? null,
    ]);
  });
  return csv([["job", "name", "step", "seconds", metric], ...lines]);
}

function Controls({ view, change }: { view: View; change: (part: Partial<View>) => void }) {
  const { t } = useTranslation(["compare", "job"]);
  return (
    <div className={classes.controls}>
      <Select
        label={t("compare:metric")}
        data={METRICS.map((value) => ({ value, label: t(`common:metrics.${value}`) }))}
        value={view.metric}
        allowDeselect={false}
        onChange={(metric) => metric !== null && change({ metric })}
      />
      <SegmentedControl
        aria-label={t("compare:axis.label")}
        data={AXES.map((value) => ({ value, label: t(`compare:axis.${value}`) }))}
        value={view.axis}
        onChange={(axis) => change({ axis: axis as AxisKind })}
      />
      <Group gap="sm" h={36}>
        <Text size="sm">{t("job:curves.smoothing")}</Text>
        <Slider
          w={140}
          min={0}
          max={0.99}
          step={0.01}
          value={view.weight}
          onChange={(weight) => change({ weight })}
          label={null}
          thumbLabel={t("job:curves.smoothing")}
        />
      </Group>
      <Switch
        h={36}
        label={t("job:curves.logarithmic")}
        checked={view.logarithmic}
        onChange={(event) => change({ logarithmic: event.currentTarget.checked })}
        styles={{ body: { height: "100%", alignItems: "center" } }}
      />
    </div>
  );
}
