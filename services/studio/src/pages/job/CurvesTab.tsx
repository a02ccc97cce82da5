// The curves of a run: loss raw and smoothed, evaluation, learning rate, gradient norm, speed, memory.
import { Button, Group, Slider, Switch, Text } from "@mantine/core";
import { IconArrowBackUp, IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { metricsQuery } from "../../api/history";
import { asCsv, best, type Points, type Series, smoothed } from "../../lib/curves";
import { saveCsv } from "../../lib/files";
import { useFormat } from "../../lib/format";
import { type Curve, LineChart, type Mark } from "../../ui/LineChart";
import { Bones, Empty, Failed } from "../../ui/states";
import classes from "./JobPage.module.css";

interface View {
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
  logarithmic: boolean;
}

export function CurvesTab({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const { data: series, error, refetch } = useQuery(metricsQuery(job.id));
  const [weight, setWeight] = useState(0.8);
  const [logarithmic, setLogarithmic] = useState(false);
  const [range, onRange] = useState<[number, number] | null>(null);
  if (error !== null && series === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (series === undefined) return <Bones lines={2} height={220} />;
  if (series.size === 0) return <Empty title={t("curves.none")} text={t("curves.noneText")} />;
  const view: View = { range, onRange, logarithmic };
  return (
    <>
      <Controls
        weight={weight}
        onWeight={setWeight}
        logarithmic={logarithmic}
        onLogarithmic={setLogarithmic}
        zoomed={range !== null}
        onBack={() => onRange(null)}
        onSave={() => saveCsv(`${job.name}.csv`, asCsv(series))}
      />
      <div className={classes.charts}>
        <LossChart series={series} weight={weight} view={view} />
        {OTHERS.map((names) => (
          <PlainChart key={names.join()} names={names} series={series} view={{ ...view, logarithmic: false }} />
        ))}
      </div>
    </>
  );
}

const OTHERS: string[][] = [
  ["eval_accuracy", "accuracy"],
  ["learning_rate"],
  ["grad_norm"],
  ["tokens_per_second"],
  ["memory_bytes"],
];

function LossChart({ series, weight, view }: { series: Series; weight: number; view: View }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const raw = series.get("loss");
  const held = series.get("eval_loss");
  const curves = useMemo(() => lossCurves(t as never, raw, held, weight), [t, raw, held, weight]);
  const top = held !== undefined && held.steps.length > 1 ? best(held) : null;
  const marks: Mark[] =
    top === null ? [] : [{ step: top.step, label: t("curves.best", { value: format.figure(top.value) }) }];
  if (curves.length === 0) return null;
  return (
    <section className={`k-card ${classes.chart} ${classes.wide}`}>
      <Text fw={600} mb={4}>
        {t("common:metrics.loss")}
      </Text>
      <LineChart
        label={t("common:metrics.loss")}
        stepLabel={t("curves.step")}
        curves={curves}
        marks={marks}
        height={300}
        {...view}
      />
    </section>
  );
}

type Translate = (key: string) => string;

function lossCurves(t: Translate, raw: Points | undefined, held: Points | undefined, weight: number): Curve[] {
  const curves: Curve[] = [];
  if (raw !== undefined && weight > 0) {
    curves.push({ label: t("curves.raw"), ...raw, color: 1, faint: true });
    curves.push({ label: t("curves.smooth"), steps: raw.steps, values: smoothed(raw.values, weight), color: 1 });
  } else if (raw !== undefined) curves.push({ label: t("common:metrics.loss"), ...raw, color: 1 });
  if (held !== undefined) curves.push({ label: t("common:metrics.eval_loss"), ...held, color: 2, dots: true });
  return curves;
}

function PlainChart({ names, series, view }: { names: string[]; series: Series; view: View }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const curves: Curve[] = names.flatMap((name, place) => {
    const points = series.get(name);
    if (points === undefined) return [];
    return [{ label: t(`common:metrics.${name}`), ...points, color: place + 1, dots: name.startsWith("eval") }];
  });
  const [first] = curves;
  if (first === undefined) return null;
  return (
    <section className={`k-card ${classes.chart}`}>
      <Text fw={600} size="sm" mb={4}>
        {first.label}
      </Text>
      <LineChart
        label={first.label}
        stepLabel={t("curves.step")}
        read={names.some((name) => name.endsWith("_bytes")) ? format.bytes : undefined}
        curves={curves}
        height={180}
        {...view}
      />
    </section>
  );
}

interface ControlsProps {
  weight: number;
  onWeight: (weight: number) => void;
  logarithmic: boolean;
  onLogarithmic: (on: boolean) => void;
  zoomed: boolean;
  onBack: () => void;
  onSave: () => void;
}

function Controls({ weight, onWeight, logarithmic, onLogarithmic, zoomed, onBack, onSave }: ControlsProps) {
  const { t } = useTranslation("job");
  return (
    <Group mb="md" gap="lg">
      <Group gap="sm">
        <Text size="sm" id="smoothing">
          {t("curves.smoothing")}
        </Text>
        <Slider
          w={150}
          min={0}
          max={0.99}
          step={0.01}
          value={weight}
          onChange={onWeight}
          label={null}
          thumbLabel={t("curves.smoothing")}
        />
      </Group>
      <Switch
        label={t("curves.logarithmic")}
        checked={logarithmic}
        onChange={(event) => onLogarithmic(event.currentTarget.checked)}
      />
      <Group gap="xs" ms="auto">
        {zoomed && (
          <Button size="xs" leftSection={<IconArrowBackUp size={15} />} onClick={onBack}>
            {t("curves.back")}
          </Button>
        )}
        <Button size="xs" variant="default" leftSection={<IconDownload size={15} />} onClick={onSave}>
          CSV
        </Button>
      </Group>
    </Group>
  );
}
