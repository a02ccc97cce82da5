// The figures that one looks for first.
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { useFormat } from "../../lib/format";
import classes from "./JobPage.module.css";

export function Vitals({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const { loss, evalLoss, perplexity, accuracy, learningRate, tokensPerSecond } = job.progress;
  const shown: [string, string | null][] = [
    [t("common:metrics.loss"), loss == null ? null : format.figure(loss)],
    [t("common:metrics.eval_loss"), evalLoss == null ? null : format.figure(evalLoss)],
    [t("common:metrics.perplexity"), perplexity == null ? null : format.figure(perplexity)],
    [t("common:metrics.accuracy"), accuracy == null ? null : format.percent(accuracy * 100, 1)],
    [t("common:metrics.learning_rate"), learningRate == null ? null : format.figure(learningRate)],
    [t("common:metrics.tokens_per_second"), tokensPerSecond == null ? null : format.number(tokensPerSecond, 0)],
    [t("duration"), job.durationSeconds ? format.duration(job.durationSeconds) : null],
    [t("attempt"), job.attempt > 1 ? format.number(job.attempt) : null],
  ];
  const there = shown.filter(([, value]) => value !== null);
  if (there.length === 0) return null;
  return (
    <dl className={`${classes.vitals} k-numbers`}>
      {there.map(([label, value]) => (
        <div key={label} className={`k-card ${classes.vital}`}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
