import { ActionIcon, Alert, Box, Button, CopyButton, Loader, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Answer, speedOf, type Trouble } from "../../lib/conversation";
import { useFormat } from "../../lib/format";
import { ProblemDetail } from "../../ui/ProblemDetail";
import classes from "./PlaygroundPage.module.css";

interface Props {
  answer: Answer;
  onAgain: () => void;
}

export function AnswerView({ answer, onAgain }: Props) {
  const { t } = useTranslation("playground");
  const { state, text, model, trouble } = answer;
  return (
    <article className={`k-card ${classes.answer}`} data-state={state} aria-busy={state === "speaking"}>
      <header className={classes.who}>
        <bdi dir="ltr">{model}</bdi>
        {text !== "" && <Copy text={text} />}
      </header>
      {text !== "" && <p className={`k-plain ${classes.text}`}>{text}</p>}
      {state === "waiting" && <Thinking />}
      {state === "done" && text === "" && (
        <Text c="dimmed" fs="italic">
          {t("nothing")}
        </Text>
      )}
      {trouble !== null && <Told trouble={trouble} onAgain={onAgain} />}
      <Figures answer={answer} />
    </article>
  );
}

function Copy({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={t(copied ? "copied" : "copy")}>
          {copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
        </ActionIcon>
      )}
    </CopyButton>
  );
}

const PATIENCE_SECONDS = 8;

/** It is on its way, and for how long; the first answer waits until the model is loaded. */
function Thinking() {
  const { t } = useTranslation("playground");
  const format = useFormat();
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={classes.thinking}>
      <Loader type="dots" size="sm" />
      <Text size="sm" c="dimmed" className="k-numbers">
        {t("thinking")} {seconds > 0 && format.duration(seconds)}
        {seconds >= PATIENCE_SECONDS && <> · {t("loadingModel")}</>}
      </Text>
    </div>
  );
}

const KNOWN = new Set(["rate_limit_exceeded", "context_length_exceeded", "model_not_found", "unreachable"]);

function Told({ trouble, onAgain }: { trouble: Trouble; onAgain: () => void }) {
  const { t } = useTranslation("playground");
  return (
    <Alert color="red" variant="light" title={t(`trouble.${KNOWN.has(trouble.code) ? trouble.code : "unknown"}`)}>
      <Box mb="xs">
        <ProblemDetail failure={{ about: "request", ...trouble }} />
      </Box>
      <Button size="xs" variant="default" onClick={onAgain}>
        {t("common:again")}
      </Button>
    </Alert>
  );
}

/** What is known of it: a stopped answer has no count of tokens. */
function Figures({ answer }: { answer: Answer }) {
  const { t } = useTranslation("playground");
  const format = useFormat();
  const { tokens, totalMs, state, reason } = answer;
  const speed = speedOf(answer);
  const parts = [
    state === "stopped" && t("stopped"),
    tokens !== null && t("figures.tokens", { tokens: format.number(tokens) }),
    totalMs !== null && t("figures.seconds", { seconds: format.number(totalMs / 1000, 1) }),
    speed !== null && t("figures.speed", { speed: format.number(speed, 1) }),
    reason === "length" && t("figures.cut"),
  ].filter((part) => part !== false);
  if (parts.length === 0 || state === "failed") return null;
  return (
    <Text size="sm" c="dimmed" className={`k-numbers ${classes.figures}`}>
      {parts.join(" · ")}
    </Text>
  );
}
