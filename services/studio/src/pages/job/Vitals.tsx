// The figures that one looks for first.
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { useFormat } from "../../lib/format";
import { Figures } from "../../ui/Figures";

export function Vitals({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const { loss, evalLoss, perplexity, accuracy, learningRate, tokensPerSecond } = job.progress;
  return (
    <Figures
      figures={[
        [t("common:metrics.loss"), loss != null && format.figure(loss)],
        [t("common:metrics.eval_loss"), evalLoss != null && format.figure(evalLoss)],
        [t("common:metrics.perplexity"), perplexity != null && format.figure(perplexity)],
        [t("common:metrics.accuracy"), accuracy != null && format.percent(accuracy * 100, 1)],
        [t("common:metrics.learning_rate"), learningRate != null && format.figure(learningRate, 2)],
        [t("common:metrics.tokens_per_second"), tokensPerSecond != null && format.number(tokensPerSecond, 0)],
        [t("duration"), job.durationSeconds && format.duration(job.durationSeconds)],
        [t("attempt"), job.attempt > 1 && format.number(job.attempt)],
      ]}
    />
  );
}
